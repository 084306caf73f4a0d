"""From a bus through a real Redis to mirrors: exact, whoever comes late, leaves or is killed."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from data import topics
from data.access import TokenRow, digest
from data.bus import key_of
from data.problems import ConflictError
from nautilus_tui.relay import wire
from nautilus_tui.relay.publisher import Pace
from nautilus_tui.relay.wire import Keys
from tests.relay.redis import RedisServer
from tests.relay.world import Reader, Source, following, following_nothing, same, told, until
from tests.streams import samples

ORDERS = topics.orders("paper-1")
LOG = topics.engine_log("paper-1")
QUOTES = topics.quotes("AAPL.SIM")
#: Bases are written and streams are cut often.
SHORT = Pace(lossless=40, conflated=20, beat_s=0.1)


def tell(source: Source, first: int, last: int) -> None:
    """Tell an order, a log line and two quotes for each number, in one hand-over each."""
    for n in range(first, last + 1):
        source.tell([samples.order(n), samples.log(n), samples.quote(n), samples.quote(n, "B.SIM")])


async def caught_up(reader: Reader, source: Source) -> None:
    await until(lambda: same(reader.mirror, source.bus))


def whole(reader: Reader, source: Source) -> bool:
    """Tell whether every lossless event was handed on once, in order, from the first on."""
    seqs = {topic: list(range(1, source.bus.seq(topic) + 1)) for topic in (ORDERS, LOG)}
    return {topic: reader.seqs[topic] for topic in seqs} == seqs


async def test_who_comes_late_gets_states_and_what_readers_resume_from(server: RedisServer) -> None:
    source = Source(ring_size=100)
    source.present.note(samples.position(5, seq=1))  # from a store: told of, never published
    tell(source, 1, 30)
    async with source.publishing(server.url, pace=SHORT) as publisher:
        async with following(server.url, ring_size=100) as early:
            for first in range(31, 400, 10):  # the streams are cut on the way
                tell(source, first, first + 9)
                await asyncio.sleep(0)
            await caught_up(early, source)
            assert early.seqs[ORDERS] == list(range(31, 401))
            async with following(server.url, ring_size=100) as late:
                await caught_up(late, source)
                positions = topics.positions("paper-1")
                assert late.mirror.state(positions).records == (samples.position(5, seq=1),)
                missed = late.mirror.since(ORDERS, 301)
                assert missed is not None
                assert [event.seq for event in missed] == list(range(302, 401))
                source.tell([samples.order(401)])
                await until(lambda: late.mirror.seq(ORDERS) == early.mirror.seq(ORDERS) == 401)
                seqs = late.seqs[ORDERS]
                assert seqs == list(range(seqs[0], 402))
        assert publisher.problems() == []
        client = Redis.from_url(server.url)
        head = wire.read_head(await client.get("t:head"))
        kept = sum(
            len(wire.unpack(fields[wire.EVENTS]))
            for _, fields in await client.xrange(Keys("t").of(head.life).lossless)
            if wire.EVENTS in fields
        )
        await client.aclose()
        assert kept < source.bus.published / 2  # it was cut


async def test_a_follower_that_was_away_goes_on_where_it_was(server: RedisServer) -> None:
    source = Source()
    async with source.publishing(server.url, pace=SHORT):
        reader = Reader(server.url)
        for first in (1, 101, 201):
            async with reader.running():
                await until(reader.follower.ready.is_set)
                tell(source, first, first + 49)
                await caught_up(reader, source)
            tell(source, first + 50, first + 99)
            await asyncio.sleep(0.02)
        async with reader.running():
            await caught_up(reader, source)
    assert whole(reader, source)
    assert reader.gaps == []
    assert reader.renewals == 0


async def test_redis_is_killed_and_comes_back_empty_and_nothing_is_lost_or_told_twice(
    server: RedisServer,
) -> None:
    source = Source()
    going = True
    async with source.publishing(server.url, pace=SHORT) as publisher:
        async with following(server.url) as one, following(server.url) as other:

            async def publish() -> None:
                n = 0
                while going:
                    tell(source, n + 1, n + 3)
                    n += 3
                    await asyncio.sleep(0.001)

            task = asyncio.create_task(publish())
            for _ in range(3):
                before = source.bus.seq(ORDERS)
                await until(lambda before=before: one.mirror.seq(ORDERS) > before + 50)
                server.kill()
                before = source.bus.seq(ORDERS)
                await until(lambda before=before: source.bus.seq(ORDERS) > before + 50)
                assert any("Redis at" in problem for problem in publisher.problems())
                assert "Redis at" in (one.follower.status().problem or "")
                server.start()
            await until(lambda: publisher.problems() == [])
            before = source.bus.seq(ORDERS)
            await until(lambda: one.mirror.seq(ORDERS) > before)
            going = False
            await task
            for reader in (one, other):
                await caught_up(reader, source)
                assert whole(reader, source)
                assert (reader.gaps, reader.renewals) == ([], 0)
                assert reader.seqs[QUOTES] == sorted(set(reader.seqs[QUOTES]))
            async with following(server.url) as late:
                await caught_up(late, source)
        assert (publisher.gaps, publisher.missed) == (0, 0)


async def test_redis_that_comes_back_with_what_it_knew_a_while_ago_is_told_the_rest(
    server: RedisServer,
) -> None:
    source = Source()
    client = Redis.from_url(server.url)
    async with source.publishing(server.url), following(server.url) as reader:
        tell(source, 1, 10)
        await caught_up(reader, source)
        await client.save()  # it is read again when the process starts
        await client.aclose()
        for n in range(11, 31):
            tell(source, n, n)
            await caught_up(reader, source)
        server.kill()
        tell(source, 31, 35)
        server.start()
        await caught_up(reader, source)
        tell(source, 36, 40)
        await caught_up(reader, source)
        async with following(server.url) as late:
            await caught_up(late, source)
    assert whole(reader, source)
    assert (reader.gaps, reader.renewals) == ([], 0)


async def test_redis_that_hangs_holds_nothing_up_and_gets_what_waited(server: RedisServer) -> None:
    source = Source()
    async with source.publishing(server.url), following(server.url) as reader:
        tell(source, 1, 10)
        await caught_up(reader, source)
        server.freeze()
        tell(source, 11, 3000)
        await asyncio.sleep(0.05)
        assert source.bus.seq(ORDERS) == 3000
        assert reader.mirror.seq(ORDERS) == 10
        server.thaw()
        await caught_up(reader, source)
        assert whole(reader, source)


async def test_what_the_rings_no_longer_hold_is_told_as_a_gap_and_counted(server: RedisServer) -> None:
    source = Source(ring_size=50)
    pace = Pace(waiting=200, beat_s=0.1)
    async with (
        source.publishing(server.url, pace=pace) as publisher,
        following(server.url, ring_size=50) as reader,
    ):
        tell(source, 1, 10)
        await caught_up(reader, source)
        await until(lambda: publisher.published == 40)
        server.kill()
        await until(publisher.problems)
        source.tell([samples.log(11)])  # one topic loses nothing
        for n in range(11, 111):
            source.tell([samples.order(n), samples.quote(n), samples.quote(n, "B.SIM")])
        said = " ".join(publisher.problems())
        assert f"a gap of {ORDERS}: Redis is away for too long" in said
        server.start()
        await caught_up(reader, source)
        assert reader.gaps == [(ORDERS, 10)]
        assert reader.seqs[LOG] == list(range(1, 12))
        assert reader.mirror.since(ORDERS, 59) is None
        assert (reader.mirror.missed, publisher.missed, publisher.gaps) == (50, 50, 1)
        assert reader.follower.status().gaps == 1
        await until(lambda: publisher.problem is None)
        (line,) = publisher.problems()
        assert line.startswith("relay: 50 lossless events did not reach Redis")
        source.tell([samples.order(111)])
        await until(lambda: reader.seqs[ORDERS][-1] == 111)
        assert reader.seqs[ORDERS] == [*range(1, 11), 111]


async def only_one_life_stays(url: str) -> None:
    """Check that Redis forgets by itself what is not of the present life."""
    client = Redis.from_url(url)
    life = wire.read_head(await client.get("t:head")).life
    kept = {key.decode() for key in await client.keys("t:*") if await client.ttl(key) == -1}
    assert kept == {"t:head", *Keys("t").of(life).all()}
    await client.aclose()


async def test_a_daemon_that_starts_anew_renews_every_mirror(server: RedisServer) -> None:
    old, new = Source("e1"), Source("e2")
    tell(old, 1, 5)
    tell(new, 1, 2)
    async with following_nothing(server.url) as reader:
        publisher = old.publisher(server.url)
        publisher.open()
        await caught_up(reader, old)
        assert publisher._task is not None
        publisher._task.cancel()  # killed: the lease is not given back
        async with new.publishing(server.url) as successor:
            await caught_up(reader, new)
            assert successor.problems() == []
            assert reader.renewals == 1
            assert reader.mirror.epoch == "e2"
            await only_one_life_stays(server.url)
            tell(new, 3, 4)
            await caught_up(reader, new)
        await until(lambda: reader.follower.status().problem == "the daemon has stopped publishing")
        assert same(reader.mirror, new.bus)  # what is known is still told


async def test_a_second_daemon_is_refused_says_so_and_takes_over_when_the_first_is_gone(
    server: RedisServer,
) -> None:
    first, second = Source("e1"), Source("e2")
    tell(second, 1, 3)
    async with following_nothing(server.url) as reader:
        async with first.publishing(server.url, house="box-1:/home"):
            tell(first, 1, 5)
            await caught_up(reader, first)
            other = second.publisher(server.url, house="box-2:/home")
            other.open()
            await until(other.problems)
            (line,) = other.problems()
            assert "the daemon of box-1:/home publishes under 't'" in line
            assert isinstance(other.problem, ConflictError)
            assert other.problem.fix is not None
            assert other.published == 0
            tell(first, 6, 8)
            await caught_up(reader, first)
            assert reader.renewals == 0
        await caught_up(reader, second)
        assert reader.mirror.epoch == "e2"
        await until(lambda: other.problems() == [])
        await other.close()


async def test_a_publisher_that_lost_its_lease_writes_nothing_more(server: RedisServer) -> None:
    source = Source()
    client = Redis.from_url(server.url)
    async with source.publishing(server.url) as publisher, following(server.url) as reader:
        tell(source, 1, 5)
        await caught_up(reader, source)
        await client.set("t:lease", "box-2:/home/e9")
        head = wire.read_head(await client.get("t:head"))
        stream = Keys("t").of(head.life).lossless
        length = await client.xlen(stream)
        tell(source, 6, 9)
        await until(lambda: any("box-2:/home" in problem for problem in publisher.problems()))
        assert await client.xlen(stream) == length
        assert reader.mirror.seq(ORDERS) == 5
        await client.delete("t:lease")
        await caught_up(reader, source)
        assert whole(reader, source)
    await client.aclose()


async def test_keys_that_somebody_deletes_are_written_anew(server: RedisServer) -> None:
    source = Source()
    source.tell([samples.status()])
    client = Redis.from_url(server.url)
    async with source.publishing(server.url, pace=SHORT) as publisher, following(server.url) as reader:
        for name in ("bases", "tokens", "lossless", "conflated", ""):
            tell(source, 1, 5)
            await caught_up(reader, source)
            head = wire.read_head(await client.get("t:head"))
            if name:
                await client.delete(f"t:{head.life}:{name}")
            else:
                await client.flushall()
            tell(source, 6, 9)

            async def renewed(life: str = head.life) -> None:
                while True:
                    raw = await client.get("t:head")
                    if raw is not None and wire.read_head(raw).life != life:
                        return
                    await asyncio.sleep(0.005)

            await asyncio.wait_for(renewed(), 60)
            await caught_up(reader, source)
        assert whole(reader, source)
        assert (reader.gaps, reader.renewals) == ([], 0)
        await until(lambda: publisher.problems() == [])
    await client.aclose()


async def test_a_hole_in_the_stream_is_filled_from_the_ring(server: RedisServer) -> None:
    source = Source()
    client = Redis.from_url(server.url)
    async with source.publishing(server.url, pace=Pace(beat_s=0.05)) as publisher:
        reader = Reader(server.url)
        async with reader.running():
            await until(reader.follower.ready.is_set)
            tell(source, 1, 5)
            await caught_up(reader, source)
        tell(source, 6, 9)
        await until(lambda: publisher.published == 36)
        head = wire.read_head(await client.get("t:head"))
        await client.xtrim(Keys("t").of(head.life).lossless, maxlen=0, approximate=False)
        async with reader.running():
            tell(source, 10, 10)  # its number tells that others are missing
            await caught_up(reader, source)
            assert whole(reader, source)
            assert reader.gaps == []
    await client.aclose()


async def test_tokens_arrive_when_they_change_and_after_a_loss(server: RedisServer) -> None:
    source = Source()
    ann = TokenRow(name="ann", digest=digest("a"), role="viewer", ts_created=1)
    bob = TokenRow(name="bob", digest=digest("b"), role="admin", ts_created=2, ts_revoked=3)
    source.tokens = [ann]
    async with source.publishing(server.url) as publisher, following(server.url) as reader:
        assert reader.tokens == [[ann]]
        source.tokens = [ann, bob]
        publisher.tokens_changed()
        await until(lambda: reader.tokens[-1] == [ann, bob])
        server.kill()
        await until(publisher.problems)
        source.tokens = [bob]
        publisher.tokens_changed()
        server.start()
        await until(lambda: reader.tokens[-1] == [bob])


async def test_what_a_conflated_topic_forgets_is_forgotten_by_mirrors(server: RedisServer) -> None:
    source = Source()
    gone, kept = samples.quote(1, engine="p1"), samples.quote(2, engine="p2")
    async with source.publishing(server.url), following(server.url) as reader:
        source.tell([gone, kept])
        source.bus.forget(QUOTES, [key_of(gone)])
        await caught_up(reader, source)
        assert reader.mirror.state(QUOTES).records == (kept,)
        again = samples.quote(3, engine="p1")
        source.tell([again])
        await caught_up(reader, source)
        assert reader.mirror.state(QUOTES).records == (kept, again)


async def test_an_event_is_encoded_once(server: RedisServer) -> None:
    source = Source()
    async with source.publishing(server.url), following(server.url) as reader:
        source.tell([samples.order(1)])
        await caught_up(reader, source)
        (sent,), (came,) = source.bus.since(ORDERS, 0) or (), reader.mirror.since(ORDERS, 0) or ()
        assert sent.forms["msgpack"] == came.forms["msgpack"]
        assert set(came.forms) == {"msgpack"}


async def test_another_form_is_not_followed_and_named(server: RedisServer) -> None:
    client = Redis.from_url(server.url)
    head = wire.Head(wire=99, life="x", epoch="e1", version="9.9.9", state="publishing", ts=1)
    await client.set("t:head", wire.write(head))
    reader = Reader(server.url)
    async with reader.running():
        await until(lambda: "form 99" in (reader.follower.status().problem or ""))
        assert not reader.follower.ready.is_set()
        source = Source()
        tell(source, 1, 2)
        async with source.publishing(server.url):  # a daemon of our version takes its place
            await caught_up(reader, source)
    await client.aclose()


@pytest.mark.parametrize("prefix", ["a", "b"])
async def test_daemons_under_their_own_prefixes_do_not_meet(server: RedisServer, prefix: str) -> None:
    one, other = Source("e1"), Source("e2")
    tell(one, 1, 3)
    async with (
        one.publishing(server.url, prefix=prefix),
        other.publishing(server.url, prefix=f"{prefix}2", house="there"),
        following(server.url, prefix) as reader,
    ):
        assert told(reader.mirror) == told(one.bus)
