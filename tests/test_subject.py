"""A builder in a process of its own: whatever it does becomes an answer or one clear line."""

import itertools
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from adafactor_numba.audit.subject import LIMITS, CannotRunError, Run, Subject
from adafactor_numba.audit.verdict import audit

RUN = Run("two steps", (np.zeros(2), np.ones((2, 3))), ((np.ones(2), np.ones((2, 3))),) * 4)
NUMBERS = itertools.count()
FLAGS = ("foreach", "maximize", "groups")


@pytest.fixture
def builder(tmp_path, monkeypatch):
    """Writes a module into an importable folder; returns `module:build`."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(text):
        name = f"subject_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(text)
        return f"{name}:build"

    return written


def stepping(body, before=""):
    """A builder whose step has this body; `X` are the parameters, `t` counts the steps."""
    return f"""\
import os, sys, time
import numpy as np
def build(params):
    {before}
    X = [param.copy() for param in params]
    t = 0
    def step(grads):
        nonlocal t
        t += 1
        {body}
        return [x - g for x, g in zip(X, grads)]
    return step
"""


CANNOT_START = {
    "an exception at import": ("1 / 0", "ZeroDivisionError: division by zero"),
    "sys.exit at import": ("import sys\nsys.exit('bye')", "SystemExit: bye"),
    "no text": ("raise ValueError", "ValueError"),
    "a crash at import": ("import os\nos._exit(7)", "the process ended with exit code 7"),
    "a syntax error": ("def", "SyntaxError: invalid syntax"),
    "no builder": ("def bild(params): ...", "AttributeError: module NAME has no builder 'build'"),
    "no function": ("build = 3", "TypeError: NAME:build is not a builder: int is not callable"),
}


@pytest.mark.parametrize("name", CANNOT_START)
def test_a_builder_that_cannot_be_had_says_why_in_one_line(name, builder):
    text, message = CANNOT_START[name]
    target = builder(text)
    with pytest.raises(CannotRunError) as error, Subject(target):
        pass
    assert str(error.value).startswith(message.replace("NAME", target.partition(":")[0]))
    assert "\n" not in str(error.value)


def test_a_missing_module_says_so():
    with pytest.raises(CannotRunError, match=r"^ModuleNotFoundError: No module named 'absent'$"):
        Subject("absent:build")


def test_a_hang_at_import_ends_when_its_time_is_over(builder):
    with pytest.raises(CannotRunError, match=r"^no answer within 2 s$"):
        Subject(builder("while True: pass"), seconds=2)


GOES_WRONG = {
    "a builder that raises": (
        stepping("", before="raise OSError('no device')"),
        "OSError: no device",
    ),
    "a builder that returns none": (
        "def build(params): ...",
        "TypeError: the builder returned NoneType, not a function step(grads)",
    ),
    "no list": (stepping("return 3"), "TypeError: step returned int, not a list of arrays"),
    "sys.exit": (stepping("sys.exit(3)"), "SystemExit: 3"),
    "the first line of two": (stepping("raise ValueError('one\\ntwo')"), "ValueError: one"),
}


@pytest.mark.parametrize("name", GOES_WRONG)
def test_what_goes_wrong_in_a_run_is_one_line_and_the_next_run_is_tried(name, builder):
    text, message = GOES_WRONG[name]
    with Subject(builder(text)) as subject:
        for _ in range(3):
            trace = subject.run(RUN)
            assert (trace.after, trace.error) == ([], message)


UNLIKE = {
    "the list returned has length 1, that of parameters 2": "return X[:1]",
    "returned array 1 has shape (3, 2), the parameter (2, 3)": "return [X[0], X[1].T]",
    "returned array 0 has dtype float32, the parameter float64": (
        "return [X[0].astype('float32'), X[1]]"
    ),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_what_comes_back_unlike_its_parameter_is_told_and_ends_the_run(what, builder):
    with Subject(builder(stepping(f"if t == 3: {UNLIKE[what]}"))) as subject:
        trace = subject.run(RUN)
    assert (len(trace.after), trace.unlike, trace.error) == (2, [what], f"ValueError: {what}")
    assert trace.changed == []


def test_what_the_builder_raises_is_not_taken_for_what_it_returned(builder):
    with Subject(builder(stepping("raise ValueError('returned array 0')"))) as subject:
        assert subject.run(RUN).unlike == []


def plain(line):
    """A right builder, but for a line after each step; it has the new parameters, `X`."""
    return f"""\
from tests.implementations.plain import Plain
class build(Plain):
    def __call__(self, grads):
        X = super().__call__(grads)
        {line}
        return X
"""


ALMOST = {
    "returned array 0 has dtype float64, the parameter float32": (
        "X = [x.astype('float64') for x in X]",
        "all, float32",
    ),
    "returned array 0 has shape (1,), the parameter ()": (
        "X = [x.reshape(1) if x.shape == () else x for x in X]",
        "rank, float64",
    ),
}


@pytest.mark.parametrize("what", ALMOST)
def test_one_that_returns_another_dtype_or_shape_differs_by_that_alone(what, builder):
    line, scenario = ALMOST[what]
    report = audit("mine", builder(plain(line)))
    assert (report.verdict, report.exit_code, report.precision) == ("differs", 1, "float64")
    assert [(d.step, d.what) for d in report.differences] == [("arguments", what)]
    assert {"scenario": scenario, "why": f"ValueError: {what}"} in report.scenarios_not_run


def test_one_that_never_returns_what_it_should_differs_although_no_step_is_seen(builder):
    report = audit("mine", builder(stepping("return []")))
    (difference,) = report.differences
    assert (report.verdict, report.cases, difference.step) == ("differs", 0, "arguments")
    assert difference.what == "the list returned has length 0, that of parameters 1"


def test_a_flag_that_makes_another_dtype_is_a_difference(builder):
    text = plain("X = [x.astype('float32') for x in X] if self.maximize else X")
    text = text.replace(
        "    def __call__",
        "    def __init__(self, params, *, maximize=False):\n"
        "        super().__init__(params)\n"
        "        self.maximize = maximize\n"
        "    def __call__",
    )
    report = audit("mine", builder(text), dtypes=["float64"])
    assert [(d.step, d.what) for d in report.differences] == [
        ("arguments", "returned array 0 has dtype float32, the parameter float64")
    ]


def test_what_was_seen_before_it_raised_counts(builder):
    with Subject(builder(stepping("assert t < 3, 'only two'"))) as subject:
        trace = subject.run(RUN)
    assert trace.error == "AssertionError: only two"
    assert [[x.tolist() for x in after] for after in trace.after] == [
        [[-1.0, -1.0], np.zeros((2, 3)).tolist()]
    ] * 2


LOST = {
    "a crash": ("os._exit(7)", "the process ended with exit code 7"),
    "last words": (
        "sys.stderr.write('first\\nlast words'); sys.stderr.flush(); os._exit(1)",
        "the process ended with exit code 1: last words",
    ),
    "a hang": ("time.sleep(100)", "no answer within 2 s"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_scenario_is_given_up_once_a_run_of_it_is_lost_and_all_after_two(name, builder):
    body, message = LOST[name]
    runs = [RUN, RUN, replace(RUN, scenario="another"), replace(RUN, scenario="a third")]
    with Subject(builder(stepping(body)), seconds=2) as subject:
        traces = [subject.run(run) for run in runs]
    assert [trace.error for trace in traces] == [
        message,
        "not tried after one without an answer",
        message,
        "not tried after two runs without an answer",
    ]
    assert all(trace.lost for trace in traces)


CRASHES = "if t == 4: os._exit(7)"
SHORT = replace(RUN, scenario="short", grads=RUN.grads[:1])


def test_a_crash_in_one_scenario_ends_no_other_nor_the_same_in_another_dtype(builder):
    others = [replace(RUN, scenario=f"long {k}") for k in range(12)]
    params, *grads = (tuple(X.astype("float32") for X in row) for row in (RUN.params, *RUN.grads))
    single = replace(RUN, params=params, grads=tuple(grads))
    with Subject(builder(stepping(CRASHES))) as subject:
        assert subject.run(SHORT).error is None
        for run in (RUN, *others, single):
            assert subject.run(run).error == "the process ended with exit code 7"
            assert subject.run(SHORT).error is None
    assert {*subject.lost.values()} == {"the process ended with exit code 7"}
    assert len(subject.lost) == 14


def test_lost_runs_together_may_take_so_long_and_no_longer(builder):
    with Subject(builder(stepping(CRASHES.replace("os._exit(7)", "time.sleep(9)"))), 1) as subject:
        assert subject.run(SHORT).error is None
        runs = [replace(RUN, scenario=f"long {k}") for k in range(LIMITS + 1)]
        errors = [subject.run(run).error for run in runs]
        hung = errors.count("no answer within 1 s")
        assert 3 <= hung <= LIMITS  # starting again takes time, too
        assert re.fullmatch(r"not tried after runs without an answer took \d+ s", errors[hung])
        assert subject.run(SHORT).error == errors[hung]


LAME = """\
import os, time
from tests.implementations.plain import Plain
class build(Plain):
    def __call__(self, grads):
        if any(X.shape == () for X in self.X):
            os._exit(7)
        self.called = getattr(self, "called", 0) + 1
        if self.called > 9_000:
            time.sleep(100)
        return super().__call__(grads)
"""


def test_one_slow_late_and_crashing_at_rank_0_is_audited_in_all_else(builder):
    report = audit("mine", builder(LAME), seconds=8, dtypes=["float64"])
    assert (report.verdict, report.precision) == ("agrees", "float64")
    refused = {line["scenario"]: line["why"] for line in report.scenarios_not_run}
    assert refused.pop("past t = 10^4, float64") == "no answer within 8 s"
    assert all(why.startswith("the process ended with exit code 7") for why in refused.values())
    assert {name.rpartition(", ")[0] for name in refused} == {
        *("one entry", "rank", "several parameters", "parameters of two dtypes", "finite")
    }
    assert {flag["does"] for flag in report.flags.values()} == {"as the paper's input"}
    assert [law["name"] for law in report.properties if not law["holds"]] == []
    assert {*report.range} == {"float64"}


def test_a_range_in_which_a_run_is_lost_is_not_known(builder):
    text = LAME.replace("X.shape == () for X in self.X", "abs(G).max() < 1e-60 for G in grads")
    text = text.replace("any(", "any(G is not None and G.any() and ", 1)
    report = audit("mine", builder(text), dtypes=["float64"], seconds=8)
    assert (report.verdict, {*report.range}) == ("agrees", {"float32"})
    assert "range, float64" in {line["scenario"] for line in report.scenarios_not_run}


@pytest.mark.parametrize(
    "words", ["print('{}')", "sys.stdout.write('x' * 10**7)", "os.write(1, b'{}')"]
)
def test_what_it_prints_is_not_taken_for_an_answer(words, builder):
    with Subject(builder(stepping(words)), seconds=20) as subject:
        trace = subject.run(RUN)
    assert trace.error is None
    assert len(trace.after) == 4


def test_printing_at_import_is_not_taken_for_an_answer(builder):
    with Subject(builder("print('hello')\n" + stepping(""))) as subject:
        assert subject.run(RUN).error is None


def test_only_the_steps_asked_for_come_back(builder):
    with Subject(builder(stepping("X[0] = X[0] - 1"))) as subject:
        trace = subject.run(Run("watched", RUN.params, RUN.grads, watch=(2, 4)))
    assert [after[0].tolist() for after in trace.after] == [[-3.0, -3.0], [-5.0, -5.0]]


MEDDLING = {
    "gradient 1 was changed by step 1": stepping("grads[1][0, 0] = 7"),
    "parameter 0 was changed by step 1": stepping("params[0][0] = 7"),
    "returned array 0 was changed by step 2": stepping("X[0] += 1; return X"),
    "gradient 0 was changed by step 1": stepping("grads[0] = grads[0] * 2"),
    "the list of gradients was changed by step 1": stepping("return [X[0], grads.pop()]"),
    "the list of parameters was changed by step 1": stepping(
        "return [X[0].copy(), rest.copy()]", before="rest = params.pop()"
    ),
}


@pytest.mark.parametrize("change", MEDDLING)
def test_what_it_does_to_arrays_that_are_not_its_own_is_seen(change, builder):
    with Subject(builder(MEDDLING[change])) as subject:
        trace = subject.run(RUN)
    assert trace.changed[0] == change
    assert trace.error is None


def test_one_that_changes_only_its_own_is_not_accused(builder):
    with Subject(builder(stepping("grads = [g * 2 for g in grads]"))) as subject:
        assert subject.run(RUN).changed == []


@pytest.mark.parametrize(
    ("signature", "takes"),
    [
        ("params", ()),
        ("params, *, d=1.0, lr=1e-2", ("d",)),
        ("params, epsilon_1=1e-30, epsilon_2=1e-3", ("epsilon_1", "epsilon_2")),
        ("params, **options", ("epsilon_1", "epsilon_2", "d")),
        ("params, foreach=None, maximize=False, lr=1.0, groups=()", FLAGS),
        ("params, d=1.0, beta_1=None, **options", ("epsilon_1", "epsilon_2", "d", "beta_1")),
    ],
)
def test_the_options_it_takes_are_read_off_the_signature(signature, takes, builder):
    with Subject(builder(f"def build({signature}): ...")) as subject:
        assert subject.takes == takes


@pytest.mark.parametrize("line", ["VERSION = '2.13'", "__version__ = '2.13'"])
def test_its_version_is_the_modules(line, builder):
    with Subject(builder(f"{line}\ndef build(params): ...")) as subject:
        assert subject.version == "2.13"


def test_a_module_without_a_version_has_an_unknown_one(builder):
    with Subject(builder("def build(params): ...")) as subject:
        assert subject.version == "unknown"


def test_an_installed_package_has_its_distributions_version():
    with Subject("numpy:array") as subject:
        assert subject.version == np.__version__


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_numbers_arrive_and_return_bit_for_bit(dtype, builder):
    limits = np.finfo(dtype)
    odd = [-0.0, np.inf, np.nan, limits.smallest_subnormal, -limits.max]
    given = tuple(np.array(x, dtype) for x in (odd, odd[3], [], [odd]))
    with Subject(builder(stepping("return [x.copy() for x in grads]"))) as subject:
        (after,) = subject.run(Run("echo", given, (given,))).after
    for sent, returned in zip(given, after, strict=True):
        assert (sent.dtype, sent.shape) == (returned.dtype, returned.shape)
        assert sent.tobytes() == returned.tobytes()


def test_a_missing_gradient_arrives_as_none(builder):
    text = stepping("return [x if g is None else x + 1 for x, g in zip(X, grads)]")
    with Subject(builder(text)) as subject:
        (after,) = subject.run(Run("missing", RUN.params, ((None, RUN.params[1]),))).after
    assert [x.max() for x in after] == [0.0, 2.0]


def test_no_process_is_left_behind(builder):
    with Subject(builder(stepping(""))) as subject:
        process = subject.process
        assert process.poll() is None
    assert process.poll() is not None


def test_an_audit_of_what_never_runs_is_cannot_run_with_the_reason(builder):
    report = audit("mine", builder(stepping("raise OSError('no device')")))
    assert (report.verdict, report.why) == ("cannot run", "OSError: no device")
    assert report.exit_code == 2


def test_an_audit_of_what_cannot_be_imported_is_cannot_run_with_the_reason():
    report = audit("mine", "absent:build")
    assert (report.verdict, report.exit_code) == ("cannot run", 2)
    assert report.why == "ModuleNotFoundError: No module named 'absent'"


def test_a_hang_in_every_run_is_cannot_run_and_soon_over(builder):
    report = audit("mine", builder(stepping("time.sleep(100)")), seconds=1)
    assert (report.verdict, report.why) == ("cannot run", "no answer within 1 s")
    assert report.seconds < 60


def test_python_itself_is_the_one_that_runs_the_tests(builder):
    text = f"import sys\nassert sys.executable == {sys.executable!r}\n" + stepping("")
    with Subject(builder(text)) as subject:
        assert subject.run(RUN).error is None


ABLE = """\
import numpy as np
class build:
    def __init__(self, params, t=0, groups=None):
        self.X, self.t = params[0].copy(), t
    def __call__(self, grads):
        self.t += 1
        self.X = self.X - self.t * grads[0]
        return [self.X.copy()]
    def state(self):
        return [{"kept": np.ones((2, 3)), "t": self.t, "scalar": np.ones(())}]
    def jump(self, t):
        self.t = t - 1
    def save(self):
        return [self.X], self.t
    @classmethod
    def load(cls, saved):
        return cls(*saved)
"""
COUNTED = Run("counted", (np.zeros(1),), ((np.ones(1),),) * 4)


def seen(trace):
    return [after[0].item() for after in trace.after]


@pytest.mark.parametrize(
    ("text", "can"),
    [
        (ABLE, ("state", "jump", "save")),
        (ABLE.replace("load", "lead"), ("state", "jump")),
        (ABLE.replace("jump", "leap").replace("def state", "state = 3\n    def stat"), ("save",)),
        ("def build(params): ...", ()),
        ("def build(params): raise OSError", ()),
        ("import os\ndef build(params): os._exit(7)", ()),
    ],
)
def test_what_it_can_is_found_on_one_entry(text, can, builder):
    with Subject(builder(text)) as subject:
        assert subject.can == can


def test_after_a_jump_the_first_step_is_step_t(builder):
    with Subject(builder(ABLE)) as subject:
        assert seen(subject.run(COUNTED)) == [-1, -3, -6, -10]
        assert seen(subject.run(replace(COUNTED, jump=5))) == [-5, -11, -18, -26]


def test_a_split_run_has_one_beginning_and_the_second_of_two_ends(builder):
    with Subject(builder(ABLE)) as subject:
        trace = subject.run(replace(COUNTED, split=2))
    assert (seen(trace), trace.parted) == ([-1, -3, -6, -10], [])


@pytest.mark.parametrize(("watch", "steps"), [((), (3, 4)), ((1, 4), (4,)), ((1,), ())])
def test_the_ends_of_a_split_run_are_compared_where_they_are_watched(watch, steps, builder):
    with Subject(builder(ABLE.replace("cls(*saved)", "cls(saved[0])"))) as subject:
        trace = subject.run(replace(COUNTED, split=2, watch=watch))
    assert trace.parted == [
        f"parameter 0 at step {t} is another one after save and load" for t in steps
    ]
    assert seen(trace)[-1] == {4: -6, 0: -1}[max(steps, default=0)]


def test_arrays_that_are_kept_are_counted_and_scalars_are_not(builder):
    with Subject(builder(ABLE)) as subject:
        assert subject.run(COUNTED).state == [6]
        assert subject.run(RUN).state is None


def test_a_state_that_raises_is_no_fault_of_the_steps(builder):
    with Subject(builder(ABLE.replace("return [{", "return 1 / 0; [{"))) as subject:
        trace = subject.run(COUNTED)
    assert (len(trace.after), trace.state, trace.error) == (4, None, None)
