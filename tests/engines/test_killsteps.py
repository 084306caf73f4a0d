"""The kill switch without an engine: its states by what is seen, and its latch on the disk."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.kill import UNLOCK_PHRASE, KillOrder, KillStatus
from data.paths import Home
from data.problems import ConflictError, ForbiddenError
from engines.killsteps import KillSteps, Seen
from engines.latch import Latch, check_phrase


def order(id_: str = "k1", **fields: object) -> KillOrder:
    known: dict[str, object] = {"id": id_, "by": "ann", "via": "cli", "ts": time.time_ns()}
    return KillOrder(**(known | fields))  # type: ignore[arg-type]


def seen(working: int = 0, closing: int = 0, held: int = 0) -> Seen:
    return Seen(
        working=working, closing=closing, positions={f"I{n}.SIM": Decimal(n + 1) for n in range(held)}
    )


looks = st.lists(
    st.builds(seen, st.integers(0, 3), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=12
)


@given(looks, st.booleans())
def test_verified_is_said_only_of_what_was_seen_at_that_look(found: list[Seen], flatten: bool) -> None:
    steps = KillSteps("paper-1")
    steps.pull(order(flatten=flatten), 1)
    for at, look in enumerate(found, start=2):
        following = steps.look(look, at)
        clean = not look.working and not look.closing and not (flatten and look.positions)
        assert (steps.progress.state in ("verified", "latched")) == clean
        assert (following == "nothing") == clean
        assert (steps.progress.ts_verified is not None) == clean
        assert (steps.progress.orders_left, steps.progress.positions_left) == (
            look.working + look.closing,
            len(look.positions),
        )
        if look.working:
            assert following == "cancel", "nothing is closed while orders work that could fill"
        steps.latch()
        assert steps.done == clean
        assert steps.progress.ts_blocked == 1


@given(looks, looks)
def test_a_second_pull_may_ask_for_more_and_never_for_less(first: list[Seen], second: list[Seen]) -> None:
    steps = KillSteps("paper-1")
    steps.pull(order(flatten=True), 1)
    for look in first:
        steps.look(look, 2)
    steps.pull(order("k2", flatten=False), 3)
    assert steps.progress.state == "blocking"
    for look in second:
        steps.look(look, 4)
        assert steps.progress.state not in ("verified", "latched") or not look.positions


def test_an_armed_switch_does_nothing() -> None:
    steps = KillSteps("paper-1")
    assert steps.look(seen(3, 0, 2), 1) == "nothing"
    assert steps.progress.state == "armed"


# ---------------------------------------------------------------- the latch


@pytest.fixture
def latch(tmp_path: Path) -> Latch:
    return Latch(Home(tmp_path / "home").ensure())


def test_a_kill_of_one_engine_holds_that_engine_and_a_later_one_adds(latch: Latch) -> None:
    assert latch.problem("paper-1") is None
    latch.add(order(engine="paper-1", reason="a fat finger"))
    problem = latch.problem("paper-1")
    assert isinstance(problem, ConflictError)
    assert "ann (cli)" in problem.detail
    assert "a fat finger" in problem.detail
    assert UNLOCK_PHRASE in (problem.fix or "")
    assert latch.problem("paper-2") is None
    latch.add(order("k2", engine="paper-2"))
    assert latch.held("paper-1")
    assert latch.held("paper-2")
    assert latch.problem("paper-3") is None
    latch.add(order("k3"))
    assert latch.held("paper-3")
    assert latch.release() is None
    assert latch.read() is None


@pytest.mark.parametrize("text", [b"", b"{", b'{"orders": 3}', b"\xff\xfe", b"null"])
def test_a_latch_that_cannot_be_read_holds_every_engine(latch: Latch, text: bytes) -> None:
    latch.path.write_bytes(text)
    problem = latch.problem("anything")
    assert problem is not None
    assert "cannot be read" in problem.detail
    latch.add(order(engine="paper-1"))
    assert latch.held("paper-2"), "what was held before is not let go by a kill of less"
    assert latch.path.with_suffix(".damaged").read_bytes() == text
    latch.release()
    assert latch.problem("paper-2") is None


def test_one_kill_can_be_taken_back_and_leaves_the_others(latch: Latch) -> None:
    latch.add(order("real", engine="paper-1"))
    latch.add(order("drill", engine="paper-2"))
    left = latch.release(order("drill"))
    assert left is not None
    assert [known.id for known in left.orders] == ["real"]
    assert latch.held("paper-1")
    assert latch.problem("paper-2") is None


def test_how_it_went_is_kept_beside_the_latch_and_the_log_outlives_it(latch: Latch) -> None:
    status = KillStatus(state="latched", order=order(), verified=True, ts=5)
    latch.tell(status)
    assert latch.read() is None, "there is no latch to tell beside"
    latch.add(order())
    latch.tell(status)
    found = latch.read()
    assert found is not None
    assert found.status == status
    latch.note("ended", status)
    with latch.log.open("ab") as file:
        file.write(b'{"ts": 1, "what": "rel')  # a crash in the middle of a line
    last = latch.last_noted()
    assert last is not None
    assert (last.what, last.status) == ("ended", status)


@pytest.mark.parametrize("phrase", ["", "unlock", "Unlock Trading", "unlock  trading", "unlock trading now"])
def test_only_the_phrase_releases(phrase: str) -> None:
    with pytest.raises(ForbiddenError) as caught:
        check_phrase(phrase)
    assert UNLOCK_PHRASE in (caught.value.rule or "")
    check_phrase(f"{UNLOCK_PHRASE}\n")
