"""``audit …`` and ``broadcast``: who commanded what, proof that nothing was changed since, and a word to all.

This module must not know how the chain is made.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from data.commands import SendBroadcast
from data.durable import draft_of, sync_folder
from data.problems import InvalidRequestError
from data.records import AuditEntry
from data.words import check_texts
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import LimitOption, Session, session_of
from nautilus_tui.client.problems import NotReachableError

if TYPE_CHECKING:
    from data.audit import ChainReport
    from nautilus_tui.client import ApiClient

app = typer.Typer(no_args_is_help=True, help="What was commanded, by whom, and how it ended.")

CommandOption = Annotated[
    str | None, typer.Option("--command", "-c", help="Only these, e.g. order.submit.", show_default=False)
]
_PAGE = 1000


@app.command("list")
def list_entries(context: typer.Context, command: CommandOption = None, limit: LimitOption = 100) -> None:
    """List audited commands, newest first."""
    session = session_of(context)
    page = session.ask(lambda api: api.audit(limit=limit, command=command))
    session.show(page.items, lambda: _table(page.items))
    if page.next is not None:
        output.say(f"there are more than {limit}; see --limit")


def _table(entries: list[AuditEntry]) -> Any:
    names = "Time Seq Command Actor Via Role Outcome Detail"
    table = output.columns(*names.split(), right=("Seq",), last_wraps=True)
    for one in entries:
        detail = one.detail or ""
        time, seq = words.clock(one.ts), str(one.seq)
        table.add_row(time, seq, one.command, one.actor, one.via, one.role, one.outcome, detail)
    return table


# ---------------------------------------------------------------- tail


@app.command("tail")
def tail(
    context: typer.Context,
    command: CommandOption = None,
    limit: LimitOption = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
) -> None:
    """Show the last audited commands, the latest at the end. With --json, one object a line."""
    session = session_of(context)
    page = session.ask(lambda api: api.audit(limit=limit, command=command))
    for entry in reversed(page.items):
        _show_entry(session, entry)
    if follow:
        newest = page.items if command is None else session.ask(lambda api: api.audit(limit=1)).items
        asyncio.run(_follow(session, command, newest[0].seq if newest else 0))


async def _follow(session: Session, command: str | None, shown: int) -> None:
    """Show entries as they come, each once and none left out, across lost connections."""
    from data import topics
    from nautilus_tui.client.api import ApiClient
    from nautilus_tui.client.envelopes import Snapshot
    from nautilus_tui.client.stream import Batch, StreamClient

    async with ApiClient(session.address) as api, StreamClient(session.address, [topics.AUDIT]) as stream:
        async for event in stream:
            if not isinstance(event, Batch):
                if event.problem is not None:
                    output.say(event.problem)
                continue
            for envelope in event.envelopes:
                told = envelope.data.records if isinstance(envelope.data, Snapshot) else (envelope.data,)
                entries = sorted(
                    (one for one in told if isinstance(one, AuditEntry) and one.seq > shown),
                    key=lambda one: one.seq,
                )
                if not entries:
                    continue
                if entries[0].seq > shown + 1:
                    entries = await _since(api, shown)
                for entry in entries:
                    shown = entry.seq
                    if command is None or entry.command == command:
                        _show_entry(session, entry)


async def _since(api: ApiClient, shown: int) -> list[AuditEntry]:
    """Return every entry behind one, oldest first."""
    found: list[AuditEntry] = []
    cursor: str | None = None
    while True:
        page = await api.audit(limit=_PAGE, cursor=cursor)
        found += [entry for entry in page.items if entry.seq > shown]
        cursor = page.next
        if cursor is None or page.items[-1].seq <= shown:
            return found[::-1]


def _show_entry(session: Session, entry: AuditEntry) -> None:
    if session.json:
        output.show_json_line(entry)
        return
    colour = {"refused": "yellow", "failed": "red", "unknown": "bold red"}.get(entry.outcome, "")
    said = output.assembled(
        (words.clock(entry.ts), "dim"),
        f" {entry.seq:>6} {entry.command} ",
        (entry.outcome, colour),
        (f" {entry.actor} ({entry.role}, {entry.via})", "dim"),
        f" {entry.detail}" if entry.detail else "",
    )
    output.show(said)


# ---------------------------------------------------------------- verify


@app.command("verify")
def verify(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="An exported file; the store if left out.", show_default=False)
    ] = None,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="SEQ:HASH", help="A head noted earlier: the chain has to reach it."),
    ] = None,
) -> None:
    """Check the whole chain of entries; fails where it is broken, and says where.

    Keep the head that is printed somewhere else: with --head it proves that no entry up to it was changed,
    whatever was done to this machine since. Without a daemon the store is read where it lies.
    """
    session = session_of(context)
    report = _report(session, file, head)
    session.show(report, lambda: _words(report, "the store" if file is None else file.name))
    if report.broken_at is not None:
        raise typer.Exit(output.ExitCode.FAILED)


def _report(session: Session, file: Path | None, head: str | None) -> ChainReport:
    from data.audit import read_head

    expected = None if head is None else read_head(head)
    if file is not None:
        from data.audit_file import check_file

        return check_file(file, expected)
    try:
        return session.ask(lambda api: api.verify_audit(head))
    except NotReachableError:
        if session.url is not None:
            raise
    from data.audit_store import verify_closed

    output.say("no daemon runs: the store is read where it lies")
    return verify_closed(session.home.state_db, session.home.audit_log, expected)


def _words(report: ChainReport, where: str) -> list[str]:
    if report.broken_at is None:
        lines = [f"{report.entries:,} entries, the chain holds"]
    else:
        lines = [f"{where}: broken at entry {report.broken_at}"]
        lines += [f"! {finding.detail}" for finding in report.findings]
        lines += [f"! and {report.more:,} more"] if report.more else []
    lines += report.remarks
    unknown = "not known: the last entry cannot be read"
    lines.append(f"head {unknown if report.head is None else report.head}")
    return lines


# ---------------------------------------------------------------- export


@app.command("export")
def export(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="FILE|-", help="- is stdout.", show_default=False)],
    start: Annotated[
        str | None, typer.Option("--from", help="First date or time, ISO 8601.", show_default=False)
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Date or time to stop before.", show_default=False)
    ] = None,
    form: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="csv is not verified.")] = "jsonl",
) -> None:
    """Write the chain to a file: what it follows, an entry a line, and how many; audit verify FILE checks it.

    A file is there whole or not at all.
    """
    session = session_of(context)
    if target == "-":
        session.ask(lambda api: _to_stdout(_pieces(api, start, end, form)))
        return
    path = Path(target)
    count, size = session.ask(lambda api: _to_file(path, _pieces(api, start, end, form)))
    facts = {"file": str(path), "entries": count, "bytes": size}
    session.show(facts, lambda: f"{count:,} entries written to {path}")


async def _pieces(
    api: ApiClient, start: str | None, end: str | None, form: str
) -> AsyncIterator[tuple[bytes, int]]:
    """Return pieces of the file and how many entries are in each; raises ProblemError if it is not whole."""
    from data.audit_file import FileEnd, decode_line

    rest, counted, ended, begun, headed = b"", 0, None, False, False
    async for piece in api.export_audit(start, end):
        *lines, rest = (rest + piece).split(b"\n")
        entries = []
        for raw in lines:
            line = decode_line(raw)
            if isinstance(line, FileEnd):
                ended = line
            elif begun:
                entries.append(line)
            begun = True
        counted += len(entries)
        if form == "csv":
            yield _csv(entries, heading=not headed), len(entries)
            headed = True
        elif lines:
            yield b"\n".join(lines) + b"\n", len(entries)
    if ended is None or rest or ended.entries != counted:
        raise NotReachableError(
            "the daemon stopped in the middle of the export",
            rule="an export ends with the count of its entries",
            fix="see nautilus-tui audit verify, then again",
        )


def _csv(entries: list[Any], *, heading: bool) -> bytes:
    import csv
    import io

    names = AuditEntry.__struct_fields__
    text = io.StringIO()
    writer = csv.writer(text)
    if heading:
        writer.writerow(names)
    writer.writerows([getattr(one, name, None) for name in names] for one in entries)
    return text.getvalue().encode()


async def _to_stdout(pieces: AsyncIterator[tuple[bytes, int]]) -> None:
    async for piece, _ in pieces:
        output.write(piece.decode())


async def _to_file(path: Path, pieces: AsyncIterator[tuple[bytes, int]]) -> tuple[int, int]:
    draft, count, size = draft_of(path), 0, 0
    try:
        with draft.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            async for piece, entries in pieces:
                file.write(piece)
                count += entries
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise InvalidRequestError(
            f"{path} cannot be written: {error.strerror}",
            rule="FILE is a name in a folder that may be written to",
            fix="name another place, or - for stdout",
            path=str(path),
        ) from error
    finally:  # interrupted, or the daemon's fault: half a file is none
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return count, size


def broadcast(
    context: typer.Context, message: Annotated[str, typer.Argument(help="What to say.", show_default=False)]
) -> None:
    """Send a message to everyone who is attached."""
    session = session_of(context)
    command = SendBroadcast(message=message)
    check_texts(command)
    session.carry_out(command)
    session.show({"sent": message}, lambda: "sent")
