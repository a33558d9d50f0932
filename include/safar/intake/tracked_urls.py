"""What is kept of a URL: where it leads, and the campaign that it names. Everything else in it may name a person."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlsplit

from safar.errors import ConfigurationError
from safar.intake.tracked_values import clean_text
from safar.settings import Settings

UTM = ("source", "medium", "campaign", "content", "term", "id")
MAX_PATH = 1000
MAX_CLICK_ID = 500


@dataclass(frozen=True, slots=True)
class Visit:
    """A page and how one came there."""

    host: str | None = None
    path: str | None = None
    campaign: dict[str, str] = field(default_factory=dict)
    """UTM parameters, without ``utm_``."""
    click_id_name: str | None = None
    click_id: str | None = None


def read_visit(url: object, click_ids: tuple[str, ...]) -> Visit:
    """Reads a page's URL.

    Args:
        click_ids: the parameters that count as click ids; the first one that a URL has is taken.
    """
    parts = _split(url)
    if parts is None:
        return Visit()
    pairs = {name.lower(): clean_text(value, MAX_CLICK_ID) for name, value in reversed(_read_query(parts.query))}
    campaign = {name: pairs[f"utm_{name}"] for name in UTM if pairs.get(f"utm_{name}")}
    click_id_name = next((name for name in click_ids if pairs.get(name)), None)
    path = clean_text(parts.path, MAX_PATH) or "/"
    return Visit(_read_host(parts), path, campaign, click_id_name, pairs[click_id_name] if click_id_name else None)


def read_host(url: object) -> str | None:
    """Reads the host of a referrer; where on that site somebody was is nobody's business."""
    parts = _split(url)
    return None if parts is None else _read_host(parts)


def read_click_ids(settings: Settings) -> tuple[str, ...]:
    """Reads the parameters of seed click_ids, in the order of the file.

    Raises:
        ConfigurationError: the file is missing, or a line has no parameter.
    """
    path = settings.dbt_project / "seeds" / "click_ids.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            names = [(row.get("parameter") or "").strip().lower() for row in csv.DictReader(file)]
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}). It lists click ids in URLs.") from error
    if "" in names:
        raise ConfigurationError(
            f"{path}, line {names.index('') + 2}: column parameter is empty; name it, or remove it."
        )
    return tuple(names)


def _split(url: object) -> SplitResult | None:
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url.strip())
        return parts if parts.hostname and parts.scheme else None
    except ValueError:
        return None


def _read_host(parts: SplitResult) -> str | None:
    host = (parts.hostname or "").lower().rstrip(".")
    return host if host.isprintable() and 0 < len(host) <= 253 else None


def _read_query(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, max_num_fields=200)
    except ValueError:
        return []
