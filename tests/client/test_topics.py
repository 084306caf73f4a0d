"""Topics by their names: those the README tells of exist, and one that may not be read is an error."""

from __future__ import annotations

import asyncio
import re

import pytest

from data.problems import ForbiddenError, InvalidRequestError, ProblemError
from data.topics import FAMILIES
from nautilus_tui.client import Address, StreamClient
from tests.client.conftest import Far
from tests.client.test_examples import README


def test_the_readme_names_topics_as_they_are_and_how_they_are_delivered() -> None:
    rows = re.findall(r"^\| (conflated|lossless) \| (.*?) \|", README.read_text(), re.M)
    told = {topic: delivery for delivery, cell in rows for topic in re.findall(r"`([^`]+)`", cell)}
    assert len(told) > 10
    assert told.items() <= {family.pattern: family.delivery for family in FAMILIES}.items()


async def test_a_topic_that_may_not_be_read_or_that_there_is_none_of_is_raised(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await asyncio.to_thread(far.cli, "token", "create", "curious", "--role", "viewer")
    monkeypatch.setenv("SSL_CERT_FILE", str(far.authority))
    viewer = Address.remote(far.url, made.out.strip())
    wanted: list[tuple[list[str], type[ProblemError], str]] = [
        (["quotes.>", "audit"], ForbiddenError, "audit"),
        (["bogus"], InvalidRequestError, "no topic is named 'bogus'"),
    ]
    for topics, problem, said in wanted:
        async with asyncio.timeout(60), StreamClient(viewer, topics) as stream:
            with pytest.raises(problem, match=said) as caught:
                [event async for event in stream]
            assert caught.value.rule
