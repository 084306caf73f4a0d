"""What the mirror keeps of questions and of facts the stream tells, in whatever order things come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.companies import Filing
from data.facts import ProviderHealth
from data.problems import NotConfiguredError, ProviderDownError
from nautilus_tui.terminal.facts import MAX_ANSWERS
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.provenance import DEMO, why_empty
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.macro import Factors, History, Regime
from tests.terminal import scene, scene_macro

NOW = scene.NOW
DOWN = ProviderDownError("no answer").document()


@dataclass(frozen=True, slots=True)
class Wondered(Question[str]):
    """A question of the test's own, fresh for ten seconds and asked again two after a failure."""

    fresh_s: ClassVar[float] = 10.0
    retry_s: ClassVar[float] = 2.0
    about: str = ""

    @property
    def words(self) -> str:
        return self.about


@given(st.lists(st.sampled_from(["ask", "answer", "fail", "lose"]), max_size=12))
def test_the_last_good_answer_stays_whatever_comes_after_it(steps: list[str]) -> None:
    mirror, question = Mirror(), Wondered("x")
    good, failed, asking = None, False, False
    for index, step in enumerate(steps):
        if step == "ask":
            mirror.facts.put_asking(question)
            asking = True
        elif step == "answer":
            mirror.facts.put_answer(question, f"answer {index}", NOW + index)
            good, failed, asking = f"answer {index}", False, False
        elif step == "fail":
            mirror.facts.put_problem(question, DOWN, NOW + index)
            failed, asking = True, False
        else:
            mirror.facts.left_unanswered()
            asking = False
    answer = mirror.facts.answer(question)
    assert (answer.value, answer.problem is not None, answer.asking) == (good, failed, asking)
    if good is not None:
        assert answer.state == ("stale" if failed else "there")
    else:
        assert answer.state == ("failed" if failed else "asking" if asking else "none")


@pytest.mark.parametrize(
    ("step", "later_s", "again"),
    [("answer", 9.9, False), ("answer", 10.0, True), ("fail", 1.9, False), ("fail", 2.0, True)],
)
def test_a_question_is_asked_again_when_its_answer_is_old_or_its_failure_is(
    step: str, later_s: float, again: bool
) -> None:
    mirror, question = Mirror(), Wondered("x")
    assert mirror.facts.answer(question).wanting(question, NOW)
    mirror.facts.put_asking(question)
    assert not mirror.facts.answer(question).wanting(question, NOW + 10**12)
    if step == "answer":
        mirror.facts.put_answer(question, "yes", NOW)
    else:
        mirror.facts.put_problem(question, DOWN, NOW)
    later = NOW + int(later_s * scene.SECOND)
    assert mirror.facts.answer(question).wanting(question, later) is again
    mirror.facts.ask_again("research")
    assert mirror.facts.answer(question).wanting(question, NOW)


def test_answers_are_bounded_and_the_oldest_are_forgotten() -> None:
    mirror = Mirror()
    for index in range(MAX_ANSWERS + 5):
        mirror.facts.put_answer(Wondered(str(index)), "yes", NOW)
    assert mirror.facts.answer(Wondered("4")).state == "none"
    assert mirror.facts.answer(Wondered("5")).state == "there"


def test_factors_told_later_replace_those_asked_for_and_older_ones_do_not() -> None:
    mirror = Mirror()
    asked = scene_macro.factors()
    mirror.facts.put_answer(Factors(), asked, NOW)
    told = msgspec.structs.replace(asked[0], value=9.99, ts=asked[0].ts + 1)
    mirror.apply_records([told, msgspec.structs.replace(asked[0], value=1.0, ts=asked[0].ts - 1)])
    assert mirror.facts.factors[asked[0].id].value == 9.99
    assert asked[0].id in mirror.dirty["macro"]


def test_what_was_known_on_a_date_is_not_taken_for_what_is_known_now() -> None:
    mirror, then = Mirror(), scene_macro.TODAY.replace(year=2024)
    mirror.facts.put_answer(Factors(then), scene_macro.factors(), NOW)
    mirror.facts.put_answer(Regime(then), scene_macro.regime(), NOW)
    assert mirror.facts.factors == {}
    assert mirror.facts.regime is None
    assert mirror.facts.answer(Factors()).state == "none"


def test_a_filing_told_twice_is_one_filing() -> None:
    mirror = Mirror()
    filing = Filing(
        **scene_macro.stamp(),
        cik=320193,
        company="Apple Inc.",
        accession="0000320193-26-000013",
        form="10-Q",
        form_title="quarterly report",
        filed=scene_macro.TODAY,
    )
    mirror.apply_records([filing, filing])
    assert list(mirror.facts.filings) == [filing]


def test_the_health_of_a_provider_is_the_latest_told() -> None:
    mirror = Mirror()
    well = ProviderHealth(provider="fred", label="FRED", state="ok", configured=True, synthetic=False, ts=NOW)
    ill = msgspec.structs.replace(well, state="down", ts=NOW + 1)
    mirror.apply_records([ill, well])
    assert mirror.facts.providers == {"fred": ill}


def test_equal_questions_are_one_and_others_are_not() -> None:
    assert History("vix", 10) == History("vix", 10)
    assert len({History("vix", 10), History("vix", 20), History("oil", 10), Factors(), Regime()}) == 5


@pytest.mark.parametrize("fix", ["set FRED_API_KEY", f"set FRED_API_KEY, or look around: {DEMO}"])
def test_how_to_look_around_is_said_once(fix: str) -> None:
    mirror, question = Mirror(), Wondered("x")
    problem = NotConfiguredError("FRED_API_KEY is not set", rule="who asks is told", fix=fix)
    mirror.facts.put_problem(question, problem.document(), NOW)
    assert why_empty(mirror.facts.answer(question), "facts").count(DEMO) == 1
