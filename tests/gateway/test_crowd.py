"""A thousand readers at two gateways lose nothing and see nothing twice, whatever is killed meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.process import Crowd, GatewayProcess, PublisherProcess, until
from tests.relay.redis import needs_redis, redis_server

EACH = 500
RATE = 60  #: lossless events a second, each of which all readers are given


@needs_redis
def test_gateways_and_redis_are_killed_and_nothing_is_lost_or_repeated(tmp_path: Path) -> None:
    with (
        redis_server(tmp_path) as redis,
        PublisherProcess(tmp_path, redis.url, RATE) as publisher,
        GatewayProcess(tmp_path / "one", redis.url) as one,
        GatewayProcess(tmp_path / "two", redis.url) as two,
    ):
        one.follow(publisher.token)
        two.follow(publisher.token)
        with (
            Crowd(tmp_path, EACH, publisher.token, one.url, two.url) as first,
            Crowd(tmp_path, EACH, publisher.token, two.url, one.url) as second,
        ):
            crowds = (first, second)

            def all_past_now(what: str) -> None:
                seqs = publisher.seqs()
                for crowd in crowds:
                    crowd.past(seqs, what)

            def all_at(url: str) -> None:
                for crowd in crowds:
                    until(
                        crowd.report, lambda report: report.connected == {url: EACH}, f"not all are at {url}"
                    )

            for crowd in crowds:
                until(
                    crowd.report,
                    lambda report: sum(report.connected.values()) == EACH,
                    "not all are connected",
                )
            assert first.report().connected[one.url]  # all of them, unless the machine is busy
            all_past_now("before anything happens")

            one.kill()
            all_at(two.url)
            all_past_now("after one gateway was killed")

            with GatewayProcess(tmp_path / "one", redis.url, port=one.port) as again:
                again.follow(publisher.token)

                redis.kill()
                before = publisher.seqs()
                until(
                    publisher.seqs,
                    lambda now: all(now[t] > before[t] + RATE for t in now),
                    "nothing is published",
                )
                degraded = until(
                    lambda: two.get("/health", publisher.token).json(),
                    lambda health: health["status"] == "degraded",
                    "Redis is away and health does not say so",
                )
                assert degraded["ready"]
                redis.start()
                all_past_now("after Redis came back empty")

                assert two.stop() == 0
                all_at(again.url)
                all_past_now("after a gateway was stopped")

                with GatewayProcess(tmp_path / "two", redis.url, port=two.port) as third:
                    third.follow(publisher.token)
                    again.kill()
                    all_at(third.url)
                    last = publisher.finish()
                    reports = [crowd.past(last, "at the end") for crowd in crowds]
    for report in reports:
        assert report.least == last
        assert report.failed == []
        assert (report.lost, report.repeated, report.gaps, report.snapshots_since) == (0, 0, 0, 0)
        assert report.events >= EACH * RATE
        assert report.connections >= 2 * EACH
