"""A builder in a process of its own: whatever it does becomes an answer or one clear line."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from adafactor_numba.audit.subject import CannotRunError, Run, Subject
from adafactor_numba.audit.verdict import audit
from tests.builders import RUN, stepping

FLAGS = ("foreach", "maximize", "groups")


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


def test_what_was_seen_before_it_raised_counts(builder):
    with Subject(builder(stepping("assert t < 3, 'only two'"))) as subject:
        trace = subject.run(RUN)
    assert trace.error == "AssertionError: only two"
    assert [[x.tolist() for x in after] for after in trace.after] == [
        [[-1.0, -1.0], np.zeros((2, 3)).tolist()]
    ] * 2


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
        ("params, **options", ()),
        ("params, foreach=None, maximize=False, lr=1.0, groups=()", FLAGS),
        ("params, d=1.0, beta_1=None, **options", ("d", "beta_1")),
    ],
)
def test_the_options_it_takes_are_read_off_the_signature(signature, takes, builder):
    with Subject(builder(f"def build({signature}): ...")) as subject:
        assert subject.takes == takes


def test_of_a_signature_that_takes_any_name_those_are_taken_that_act(builder):
    """epsilon_2 is handed on to nobody."""
    lines = """\
from tests.implementations.plain import Plain
def build(params, **options):
    return Plain(params, **{k: v for k, v in options.items() if k != "epsilon_2"})
"""
    with Subject(builder(lines)) as subject:
        assert subject.takes == ("epsilon_1", "d")


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
    first, second = {3: -6, 4: -10}, {3: -4, 4: -6}
    assert trace.parted == [
        {
            "what": f"parameter 0 at step {t} is another one after save and load",
            "index": [0, 0],
            "got": second[t],
            "expected": first[t],
        }
        for t in steps
    ]
    assert seen(trace)[-1] == {4: -6, 0: -1}[max(steps, default=0)]


def test_arrays_that_are_kept_are_counted_and_scalars_are_not(builder):
    with Subject(builder(ABLE)) as subject:
        trace = subject.run(COUNTED)
        assert (trace.state, trace.kept_in) == ([6], ["float64"])
        assert subject.run(RUN).state is None


def test_a_state_that_raises_is_no_fault_of_the_steps(builder):
    with Subject(builder(ABLE.replace("return [{", "return 1 / 0; [{"))) as subject:
        trace = subject.run(COUNTED)
    assert (len(trace.after), trace.state, trace.error) == (4, None, None)


def test_there_is_nothing_for_a_builder_to_read(builder):
    with Subject(builder(stepping("assert sys.stdin.read() == os.read(0, 9).decode() == ''"))) as s:
        traces = [s.run(RUN), s.run(RUN)]
    assert [trace.error for trace in traces] == [None, None]
