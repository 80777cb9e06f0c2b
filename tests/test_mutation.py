"""The runner of mutants: what it makes, what it lets live, what it calls wrong."""

from pathlib import Path

import pytest

from tests.mutants import sources
from tests.mutation.mutations import Mutation, difference, mutations
from tests.mutation.near import nearest
from tests.mutation.plan import CHECKS
from tests.mutation.report import Survivor, faults, listed, table
from tests.mutation.session import is_chosen, report
from tests.mutation.verdicts import Examination, Verdict, verdicts

LIST = Path(__file__).parent / "mutation" / "survivors"


def changed(old, new, module="schedule"):
    """The mutation that makes one text of another in a module."""
    text = sources()[module]
    assert text.count(old) == 1
    return Mutation(module, "", old, new, text.replace(old, new))


def rates(code):
    assert code.schedule.rho(1) == 0.01
    assert code.schedule.beta_2(1) == 0


def nothing(code):
    """A check that checks nothing."""


WRONG = changed("return min(1e-2", "return max(1e-2")
SAME = changed("1.0 / math", "1.00 / math")
ENDLESS = changed("    return 1.0 - weight(t)", "    while True:\n        pass")
BROKEN = changed("import math", "import no_such_module")


@pytest.fixture(scope="module")
def examination():
    return Examination({"schedule": (rates,)})


@pytest.mark.parametrize(
    ("mutation", "check", "raised"),
    [
        (WRONG, "rates", "AssertionError"),
        (ENDLESS, "rates", "TimeoutError"),
        (BROKEN, "import", "ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_is_killed_by_what_fails(mutation, check, raised, examination):
    assert examination.verdict(mutation) == Verdict(mutation, check, raised)


def test_a_wrong_source_survives_checks_that_check_nothing_and_is_reported():
    verdict = Examination({"schedule": (nothing,)}).verdict(WRONG)
    assert verdict == Verdict(WRONG, None, same=False)
    (fault,) = faults([verdict], [])
    assert fault.startswith("survives, with other bits: schedule\n  - return min(1e-2")


def test_what_is_no_change_survives_with_the_same_bits(examination):
    assert examination.verdict(SAME) == Verdict(SAME, None, same=True)


def test_checks_that_the_right_source_fails_are_an_error():
    def false(code):
        assert code.schedule.rho(1) == 1

    with pytest.raises(AssertionError):
        Examination({"schedule": (false,)})


def survivor(mutation, shown="bits"):
    return Survivor(*mutation.name, shown, "")


SIZE = Mutation("loops", "", "BLOCK = 2**6", "BLOCK = 2**7", "")


@pytest.mark.parametrize(
    ("verdict", "entry", "fault"),
    [
        (Verdict(SAME, None, same=True), survivor(SAME), None),
        (Verdict(SIZE, None, same=False), survivor(SIZE, "size"), None),
        (Verdict(SAME, None, same=True), None, "survives, with the same bits"),
        (Verdict(WRONG, None, same=False), survivor(WRONG), "is not shown by its bits"),
        (Verdict(WRONG, None, same=True), survivor(WRONG, "size"), "is not shown by its size"),
        (Verdict(WRONG, "rates"), survivor(WRONG), "is listed, yet noticed"),
        (None, survivor(WRONG), "is listed, yet not made"),
        (Verdict(WRONG, "rates"), None, None),
    ],
)
def test_a_list_that_is_not_what_was_found_is_at_fault(verdict, entry, fault):
    found = [*faults([verdict] if verdict else [], [entry] if entry else [])]
    assert [text.partition(": ")[0] for text in found] == ([fault] if fault else [])


def test_each_listed_survivor_has_its_reason_and_a_way_to_see_it():
    survivors = listed(LIST)
    assert len({s.name for s in survivors}) == len(survivors) > 30
    assert all(s.module in CHECKS and len(s.why.split()) > 5 for s in survivors)
    assert {s.shown for s in survivors} == {"bits", "size"}


def test_mutants_are_counted_by_the_check_that_kills_them():
    found = [Verdict(WRONG, "rates", "AssertionError"), Verdict(ENDLESS, "rates", "TimeoutError")]
    (line,) = table([*found, Verdict(SAME, None)])
    assert " ".join(line.split()) == (
        "schedule 3 mutants, 2 killed (1 by a value, 0 by an error, 1 by time), 1 equivalent; "
        "rates 2"
    )


def test_the_lines_that_differ_are_told():
    assert difference("a\n    b\nc", "a\n    d\nc") == ("b", "d")


def test_every_change_of_the_schedules_is_made_and_killed_in_another_process():
    pytest.importorskip("mutmut", reason="the extra mutants is not installed")
    made = list(mutations("schedule", sources()["schedule"]))
    assert len(made) > 10
    assert len({mutation.text for mutation in made}) == len(made)
    assert all(mutation.text != sources()["schedule"] for mutation in made)
    found = list(verdicts(made, {"schedule": CHECKS["schedule"]}, processes=1))
    assert [verdict.mutation for verdict in found] == made
    assert {verdict.check for verdict in found} == {"rates"}


# The longer target


def test_the_nearest_tests_are_those_that_import_a_module_its_own_first():
    imports = {"p.a": {"p.b", "tests.test_z", "tests.test_a"}, "p.b": {"tests.test_b"}}
    assert nearest("p.a", imports) == ["tests.test_a", "tests.test_z", "tests.test_b"]
    assert nearest("p.b", imports) == ["tests.test_b"]
    assert nearest("p.c", imports) == []


def test_one_of_many_mutants_is_tried_and_the_same_each_time():
    keys = [f"module operator {k}" for k in range(1000)]
    chosen = [key for key in keys if is_chosen(key, 10)]
    assert 50 < len(chosen) < 200
    assert [key for key in keys if is_chosen(key, 1)] == keys


def test_the_report_shows_what_survives_and_counts_by_module():
    lines = [*report([("a.py", True, "-x"), ("a.py", False, "-y"), ("b.py", True, "-z")])]
    assert lines == [
        "-y",
        "a.py: 1 of 2 killed",
        "b.py: 1 of 1 killed",
        "3 mutants, 2 killed, 1 survive",
    ]
