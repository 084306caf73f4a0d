"""Many questions at once to every provider of a home, from one of several processes.

``python -m tests.providers.core.crowd FOLDER URL NAME COUNTS`` asks each provider as often as COUNTS, a JSON
object, says, and prints as JSON how that ended, by provider.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from data.problems import ProviderError
from providers.core.http import ProviderHttp
from providers.desk import Desk
from tests.providers.core.asking import read


async def _ask(http: ProviderHttp, url: str) -> str:
    try:
        await http.get(url, read=read, fresh_s=0)
    except ProviderError as error:
        return error.name
    return "answered"


async def main(folder: Path, url: str, name: str, counts: dict[str, int]) -> dict[str, dict[str, int]]:
    """Ask every provider so many different things at the same time."""
    async with Desk(folder) as desk:
        clients = [desk.fred.http, desk.alpha_vantage.http, desk.edgar.http]

        async def crowd(http: ProviderHttp) -> dict[str, int]:
            count = range(counts[http.spec.name])
            questions = [_ask(http, f"{url}/{http.spec.name}/{name}-{n}") for n in count]
            return dict(Counter(await asyncio.gather(*questions)))

        return dict(
            zip(
                (http.spec.name for http in clients),
                await asyncio.gather(*(crowd(http) for http in clients)),
                strict=True,
            )
        )


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(asyncio.run(main(Path(given[0]), given[1], given[2], json.loads(given[3])))))
