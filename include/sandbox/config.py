"""What a simulated company is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Secrets:
    """What a client must show to each vendor; invented, and the same on every machine."""

    hubspot_token: str = "pat-sandbox"  # noqa: S105
    meta_token: str = "meta-sandbox"  # noqa: S105
    google_client_id: str = "safar.apps.sandbox"
    google_client_secret: str = "google-secret"  # noqa: S105
    google_refresh_token: str = "1//google-sandbox"  # noqa: S105
    google_developer_token: str = "developer-sandbox"  # noqa: S105
    linkedin_token: str = "linkedin-sandbox"  # noqa: S105
    tiktok_token: str = "tiktok-sandbox"  # noqa: S105
    salesforce_client_id: str = "salesforce-sandbox"
    salesforce_client_secret: str = "salesforce-secret"  # noqa: S105
    shopify_client_id: str = "shop-sandbox"
    shopify_client_secret: str = "shop-secret"  # noqa: S105
    sendgrid_key: str = "SG.sandbox"


@dataclass(frozen=True)
class SandboxConfig:
    """Settings of one company; the same home, people, seed and start give the same company."""

    home: Path
    """Folder of the company's own file: what happened since the start."""
    people: int = 10_000
    """Humans known to some vendor at the start."""
    seed: int = 1
    start: datetime = START
    """Where the virtual clock of a new company stands, aware, in UTC."""
    secrets: Secrets = field(default_factory=Secrets)
    shopify_restore_rate: int = 1000
    """Query points given back per second of wall time: 100 Standard, 200 Advanced, 1000 Plus, 2000 Enterprise."""
    are_limits_on: bool = True
    """Whether vendors throttle; POST /limits changes it while running."""
