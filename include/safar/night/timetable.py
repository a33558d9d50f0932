"""What happens at which hour of a company's day: the one timetable that both ways of playing a night follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import psycopg

from safar.catalogue import Catalogue

LONGEST_DAY = 12
"""At most this many moves of the clock in 24 hours."""


@dataclass(frozen=True)
class Moment:
    """A move of the clock and the DAGs that time would start then: waves one after the other."""

    at: datetime
    title: str
    waves: tuple[tuple[str, ...], ...]


def draw_day(catalogue: Catalogue, night: date) -> list[Moment]:
    """The fixed moments of the day that begins with this night, in the company's time zone."""
    nightly = tuple(f"extract_{name}" for name in catalogue.name_sources("nightly"))
    intraday = tuple(f"extract_{name}" for name in catalogue.name_sources("intraday"))
    zone = catalogue.defaults.zone

    def moment(hour: int, title: str, *waves: tuple[str, ...]) -> Moment:
        return Moment(datetime.combine(night, time(hour), tzinfo=zone), title, waves)

    return [
        moment(2, "the night's build", nightly, ("build_nightly",)),
        moment(9, "the morning's dispatch", ("dispatch_due",)),
        moment(14, "carts", intraday, ("build_intraday",)),
        moment(
            22,
            "the evening, when the answers are in",
            ("collect_feedback",),
            intraday,
            ("build_intraday",),
            ("keep_house",),
        ),
    ]


def add_due_moments(moments: list[Moment], due: Iterable[datetime], played: int) -> list[Moment]:
    """Adds a dispatch for each planned message that falls due between two of the moments left.

    Args:
        moments: those that are still to come, in order.
        due: when planned messages are due.
        played: how many moments of this day have been played; the day never has more than LONGEST_DAY.
    """
    room = LONGEST_DAY - played - len(moments)
    if not moments or room <= 0:
        return moments
    taken = [moment.at for moment in moments]
    extra: list[Moment] = []
    for at in sorted(set(due)):
        is_between = at < taken[-1] and all(abs(at - other) > timedelta(minutes=10) for other in taken)
        if is_between and len(extra) < room:
            extra.append(Moment(at, "due messages", (("dispatch_due",),)))
            taken.insert(0, at)
    return sorted([*moments, *extra], key=lambda moment: moment.at)


def list_due(ledger_dsn: str, after: datetime) -> list[datetime]:
    """The moments after this one at which planned messages are due."""
    with psycopg.connect(ledger_dsn) as connection:
        rows = connection.execute(
            "select distinct due_at from ledger.message where state = 'planned' and due_at > %s", [after]
        ).fetchall()
    return [row[0] for row in rows]


def list_put_off(ledger_dsn: str) -> dict[str, datetime]:
    """The sources whose newest load was put off, and when it goes on."""
    with psycopg.connect(ledger_dsn) as connection:
        rows = connection.execute(
            "select distinct on (source) source, resumes_at from ledger.source_load order by source, landed_at desc"
        ).fetchall()
    return {source: resumes_at for source, resumes_at in rows if resumes_at is not None}


def name_run(moment: Moment) -> str:
    """The run_id of whatever this moment starts: the same however the night is played."""
    return f"clock__{moment.at:%Y-%m-%dT%H:%M}"
