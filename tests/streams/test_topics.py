"""The topic grammar: what patterns match, which families there are, and what builders refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import topics
from data.problems import InvalidRequestError
from nautilus_tui.daemon.streams.matching import Matcher

LEVEL = st.text("abcXYZ019-_/", min_size=1, max_size=4)
LEVELS = st.lists(LEVEL, min_size=1, max_size=5)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    levels = draw(st.lists(st.one_of(LEVEL, st.just("*")), min_size=1, max_size=5))
    if draw(st.booleans()):
        levels.append(">")
    return ".".join(levels)


@st.composite
def pattern_and_match(draw: st.DrawFn) -> tuple[str, str]:
    """A topic, and a pattern made from it by loosening levels."""
    levels = draw(LEVELS)
    loosened = [draw(st.sampled_from([level, "*"])) for level in levels]
    cut = draw(st.integers(0, len(levels) - 1))
    if draw(st.booleans()):
        loosened = [*loosened[:cut], ">"]
    return ".".join(loosened), ".".join(levels)


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("quotes.>", "quotes.AAPL.SIM", True),
        ("quotes.>", "quotes", False),
        ("quotes.*", "quotes.AAPL.SIM", False),
        ("quotes.*.*", "quotes.AAPL.SIM", True),
        ("bars.5m.*.*", "bars.5m.ES.SIM", True),
        ("bars.5m.*.*", "bars.1m.ES.SIM", False),
        ("engines.*.status", "engines.paper-1.status", True),
        ("engines.*.status", "engines.paper-1.log", False),
        (">", "audit", True),
        ("audit", "audit", True),
    ],
)
def test_examples(pattern: str, topic: str, expected: bool) -> None:
    assert topics.matches(pattern, topic) is expected


@given(pattern_and_match())
def test_a_loosened_topic_matches_itself(pair: tuple[str, str]) -> None:
    pattern, topic = pair
    assert topics.check_pattern(pattern) == pattern
    assert topics.matches(pattern, topic)
    assert topics.overlaps(pattern, topic)
    assert topics.overlaps(topic, pattern)


@given(patterns(), LEVELS)
def test_overlap_with_a_topic_is_matching(pattern: str, levels: list[str]) -> None:
    topic = ".".join(levels)
    assert topics.overlaps(pattern, topic) == topics.matches(pattern, topic)


@given(patterns(), patterns(), LEVELS)
def test_patterns_that_share_a_topic_overlap(one: str, other: str, levels: list[str]) -> None:
    topic = ".".join(levels)
    assert topics.overlaps(one, other) == topics.overlaps(other, one)
    if topics.matches(one, topic) and topics.matches(other, topic):
        assert topics.overlaps(one, other)


@pytest.mark.parametrize(
    "bad", ["", ".", "a..b", "a.", ".a", "a.>.b", "quotes.A*", "a.>b", "a\nb", "x" * 256]
)
def test_malformed_patterns_are_refused_with_the_rule(bad: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        topics.check_pattern(bad)
    assert caught.value.rule
    assert caught.value.fix


def test_a_topic_has_no_wildcards() -> None:
    with pytest.raises(InvalidRequestError):
        topics.check_topic("quotes.*")


@pytest.mark.parametrize("name", ["", "a.b", "*", ">", "x\ty"])
def test_builders_refuse_names_that_are_not_one_level(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        topics.orders(name)


@given(LEVEL, LEVEL, LEVEL)
def test_builders_make_topics_of_known_families(engine: str, symbol: str, venue: str) -> None:
    instrument = f"{symbol}.{venue}"
    conflated = [
        topics.quotes(instrument),
        topics.trades(instrument),
        topics.book(instrument),
        topics.bars("5m", instrument),
        topics.marks(engine),
        topics.engine_status(engine),
        topics.engine_feed(engine),
        topics.HEALTH,
    ]
    lossless = [
        topics.orders(engine),
        topics.fills(engine),
        topics.positions(engine),
        topics.account(engine),
        topics.engine_log(engine),
        topics.AUDIT,
        topics.BROADCAST,
    ]
    assert {topics.delivery_of(topic) for topic in conflated} == {"conflated"}
    assert {topics.delivery_of(topic) for topic in lossless} == {"lossless"}


def test_every_topic_has_one_family() -> None:
    for one in topics.FAMILIES:
        for other in topics.FAMILIES:
            assert one is other or not topics.overlaps(one.pattern, other.pattern)


def test_roles_limit_topics() -> None:
    assert topics.may_read("viewer", "orders.paper-1")
    assert not topics.may_read("trader", topics.AUDIT)
    assert topics.may_read("risk", topics.AUDIT)
    assert topics.may_read("admin", topics.AUDIT)


def test_unknown_topics_are_named() -> None:
    with pytest.raises(InvalidRequestError, match=r"weather"):
        topics.families_of("weather.>")
    with pytest.raises(InvalidRequestError):
        topics.delivery_of("orders")
    assert len(topics.families_of(">")) == len(topics.FAMILIES)
    assert [family.pattern for family in topics.families_of("engines.>")] == [
        "engines.*.status",
        "engines.*.feed",
        "engines.*.log",
    ]


LETTERS = st.sampled_from("ab")


@given(
    st.lists(
        st.builds(
            lambda levels, rest: ".".join(levels + rest),
            st.lists(st.one_of(LETTERS, st.just("*")), min_size=1, max_size=4),
            st.sampled_from([[], [">"]]),
        ),
        max_size=8,
    ),
    st.lists(LETTERS, min_size=1, max_size=6),
)
def test_many_patterns_at_once_name_what_each_of_them_names(wanted: list[str], levels: list[str]) -> None:
    topic = ".".join(levels)
    expected = any(topics.matches(pattern, topic) for pattern in wanted)
    assert Matcher(wanted).names(topic) is expected


@given(patterns())
def test_the_families_of_a_pattern_are_those_it_overlaps(pattern: str) -> None:
    for named in (pattern, f"engines.{pattern}", f"risk.{pattern}", f"system.{pattern}"):
        expected = tuple(family for family in topics.FAMILIES if topics.overlaps(family.pattern, named))
        if expected:
            assert topics.families_of(named) == expected
        else:
            with pytest.raises(InvalidRequestError):
                topics.families_of(named)
