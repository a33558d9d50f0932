"""What an alert says. It leaves the house, so it quotes no value of any row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from safar.errors import SafarError

# How a database quotes what it refused; names of tables and connections are quoted otherwise, and stay.
QUOTED = re.compile(r"(?:(?<=: )|(?<=value ))\"[^\"]*\"|(?<==)\([^)]*\)")
ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
PHONE = re.compile(r"\+?\d[\d ()/-]{6,}\d")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?")
LONGEST_TEXT = 2000


class AlertKind(StrEnum):
    """Why somebody is called. Each kind has a part of docs/runbook.md that says what to do."""

    TASK_FAILED = "task_failed"
    DEADLINE_MISSED = "deadline_missed"
    IDENTITY_BROKEN = "identity_broken"
    UNKNOWN_MESSAGES = "unknown_messages"
    WEBHOOK_SILENT = "webhook_silent"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    CAMPAIGN_BLOCKED = "campaign_blocked"
    CIRCUIT_OPENED = "circuit_opened"

    @property
    def anchor(self) -> str:
        """The heading in docs/runbook.md, as a Markdown renderer writes it into a link."""
        return f"alert-{self.value.replace('_', '-')}"


@dataclass(frozen=True)
class Alert:
    """One cause, told once: two alerts with the same ``key`` are the same cause."""

    kind: AlertKind
    key: str
    title: str
    text: str
    task_url: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", " ".join(hide_values(self.title).split()))
        object.__setattr__(self, "text", hide_values(self.text)[:LONGEST_TEXT])

    def link_runbook(self, runbook_url: str) -> str:
        """Where docs/runbook.md says what to do about it."""
        return f"{runbook_url}#{self.kind.anchor}"


def describe_failure(error: BaseException | None, *, where: str, key: str, task_url: str | None = None) -> Alert | None:
    """The alert of a failure; None when others have told its causes one by one.

    Only our own errors are quoted: their messages are written to be read and hold no personal data. Of any
    other only the type is told.

    Args:
        where: the DAG and task, or whatever else failed.
        key: what makes this failure the same as another.
    """
    kind = error.alert_kind if isinstance(error, SafarError) else AlertKind.TASK_FAILED
    if kind is None:
        return None
    if isinstance(error, SafarError):
        text = str(error)
    elif error is None:
        text = "It ended without saying why: killed, or out of memory. Its log may say more."
    else:
        text = f"{type(error).__name__}. The task's log says more."
    return Alert(AlertKind(kind), f"{kind}:{key}", f"{where} failed", text, task_url)


def hide_values(text: str) -> str:
    """The text without what could be a value of a row: refused values, addresses, phone numbers."""
    kept: list[str] = []
    for part in re.split(f"({MOMENT.pattern})", text):
        is_moment = MOMENT.fullmatch(part) is not None
        kept.append(part if is_moment else PHONE.sub("…", ADDRESS.sub("…", QUOTED.sub("…", part))))
    return "".join(kept)
