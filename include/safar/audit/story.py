"""Collects everything that the ledger and the decisions know of a subject, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from safar.audit.subjects import Subject
from safar.intake.page import mask_email

HAS_DECISIONS = (
    "select to_regclass('decisions.fct_decisions') is not null and to_regclass('decisions.fct_entries') is not null"
)


@dataclass(frozen=True)
class StoryLine:
    """One thing that happened. ``at`` is business time, ``recorded_at`` when we wrote it down (wall time)."""

    at: datetime | None
    recorded_at: datetime | None
    kind: str
    text: str

    @property
    def moment(self) -> datetime:
        """Where it stands in the story; what has no business time stands where it was written down."""
        moment = self.at or self.recorded_at
        assert moment is not None
        return moment


@dataclass(frozen=True)
class Story:
    """What happened to a subject, oldest first."""

    subject: Subject
    lines: tuple[StoryLine, ...]

    def list_kinds(self) -> set[str]:
        return {line.kind for line in self.lines}


def collect_story(ledger: psycopg.Connection[Any], warehouse: psycopg.Connection[Any], subject: Subject) -> Story:
    """Reads the whole story; addresses in it are masked."""
    lines = [*_read_addresses(ledger, subject), *_read_lines(ledger, "ledger_story", subject)]
    row = warehouse.execute(HAS_DECISIONS).fetchone()
    if row and row[0]:
        lines += _read_lines(warehouse, "warehouse_story", subject)
    return Story(subject, tuple(sorted(lines, key=_order)))


def mask_address(channel: str, address: str | None) -> str:
    """What may be shown of an address: enough to recognise it by who knows it already."""
    if address is None:
        return "(not kept)"
    return mask_email(address) if channel == "email" and "@" in address else f"…{address[-2:]}"


def _order(line: StoryLine) -> tuple[datetime, datetime]:
    return line.moment, line.recorded_at or line.moment


def _read_lines(connection: psycopg.Connection[Any], statement: str, subject: Subject) -> list[StoryLine]:
    return [StoryLine(*row) for row in connection.execute(_read_statement(statement), subject.values)]


def _read_addresses(ledger: psycopg.Connection[Any], subject: Subject) -> list[StoryLine]:
    lines = []
    for row in ledger.execute(_read_statement("addresses"), subject.values):
        at, recorded_at, channel, address, is_valid, locale, time_zone, is_current = row
        facts = [channel, mask_address(channel, address), "valid" if is_valid else "not valid", locale, time_zone]
        text = ", ".join(str(fact) for fact in facts if fact) + ("" if is_current else ", no longer")
        lines.append(StoryLine(at, recorded_at, "address", text))
    return lines


def _read_statement(name: str) -> LiteralString:
    text: LiteralString = (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return text
