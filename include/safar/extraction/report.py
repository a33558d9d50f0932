"""What a load brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from safar.extraction.drift import Drift


@dataclass(frozen=True)
class Counts:
    """Records of one table whose version was opened or closed by a load."""

    new: int = 0
    changed: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class LoadReport:
    """One load of one source, not yet checked."""

    source: str
    load_id: str
    landed_at: datetime
    rows: dict[str, Counts]
    quarantined: int
    drift: dict[str, Drift] = field(default_factory=dict)
    """Table -> how its columns differ from the declaration."""
    erased: dict[str, int] = field(default_factory=dict)
    """Rows of erased people that were kept out: how many were dropped, how many redacted."""
    is_connected: bool = True
    """False: its connection was never created; its tables stand there empty."""

    @property
    def undeclared(self) -> dict[str, tuple[str, ...]]:
        """Table -> columns that came without being declared; they landed as text."""
        return {table: drift.undeclared for table, drift in self.drift.items() if drift.undeclared}

    def describe(self) -> str:
        if not self.is_connected:
            return f"{self.source} is not connected; its tables stand empty."
        parts = [
            f"{table}: {counts.new} new, {counts.changed} changed, {counts.deleted} deleted"
            for table, counts in self.rows.items()
        ]
        if self.quarantined:
            parts.append(f"{self.quarantined} rows in quarantine")
        parts += [f"{count} rows {what} (erased)" for what, count in sorted(self.erased.items()) if count]
        parts += [f"{table}: {drift.describe()}" for table, drift in self.drift.items()]
        return f"{self.source} landed at {self.landed_at.isoformat()}: " + "; ".join(parts)
