"""Tells the story of a person or a message to somebody who is entitled to it, and writes down that they looked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from safar.audit.story import Story, collect_story
from safar.audit.subjects import find_by_hash, find_subject
from safar.delivery import hash_address, normalise_email
from safar.errors import SafarError
from safar.ledger.access import record_access
from safar.workspace import ADDRESS_KEY, Workspace

COLOURS = {"permission": "green", "suppression": "red", "stop": "red", "decision": "cyan", "transition": "yellow"}


def explain(workspace: Workspace, key: str | None = None, *, address: str | None = None) -> Story:
    """Collects the story of a contact or a message by its id, or of a person by an e-mail address.

    The look is written into ledger.access_log first; without that, nothing is told.

    Raises:
        SafarError: the ledger does not know it, or what was given is an address where an id belongs.
    """
    if key is not None and "@" in key:
        raise SafarError(
            "An address does not belong on a command line, where history and process lists keep it. "
            "Write it to standard input: safar explain --address-from-stdin."
        )
    with workspace.open_ledger() as ledger:
        if address is not None:
            subject = find_by_hash(ledger, _hash(workspace, address))
        elif key is not None:
            subject = find_subject(ledger, key)
        else:
            raise SafarError("Give the id of a contact or of a message, or --address-from-stdin.")
        record_access(ledger, "explain", subject.kind, subject.key)
        ledger.commit()
        with psycopg.connect(workspace.warehouse.dsn, options="-c timezone=UTC") as warehouse:
            return collect_story(ledger, warehouse, subject)


def print_story(story: Story, console: Console) -> None:
    """Prints the story as a table with both clocks."""
    subject = story.subject
    names = "an address" if subject.kind == "address" else f"{subject.kind} {subject.key}"
    others = [name for name in subject.contact_ids if name != subject.key]
    title = f"The story of {names}" + (f" ({_list('also ', others)})" if others else "")
    table = Table(title=escape(title), title_justify="left", title_style="bold", expand=False)
    for column in ("business time (UTC)", "written down (UTC)", "what", ""):
        table.add_column(column, overflow="fold", no_wrap=column in ("business time (UTC)", "what"))
    for line in story.lines:
        colour = COLOURS.get(line.kind, "default")
        table.add_row(_write(line.at), _write(line.recorded_at), f"[{colour}]{line.kind}[/]", escape(line.text))
    console.print(table if story.lines else "Nothing has happened yet.")


def _hash(workspace: Workspace, address: str) -> str:
    spelling = normalise_email(address)
    if spelling is None:
        raise SafarError("What came on standard input is no e-mail address.")
    return hash_address(workspace.connections.get(ADDRESS_KEY).secret, "email", spelling)


def _write(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _list(prefix: str, names: Iterable[str]) -> str:
    return prefix + ", ".join(names)
