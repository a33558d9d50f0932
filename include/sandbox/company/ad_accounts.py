"""The company's accounts at ad platforms, each with its own clock, money and campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class AdAccount:
    """One account at one platform: what is in it, and where and in which money it counts."""

    account_id: str
    name: str
    zone: ZoneInfo
    currency: str
    campaigns: tuple[str, ...]
    adsets: tuple[str, ...]
    creatives: tuple[str, ...]
    first_number: int
    """The number of its first ad; the ads of all accounts are numbered through, so that each has luck of its own."""
    first_id: int
    """From here on its ids begin: campaigns a million above, ad sets two, ads three."""


META = AdAccount(
    account_id="798085168510957",
    name="Safar Sandbox Shop",
    zone=ZoneInfo("Europe/Berlin"),
    currency="EUR",
    campaigns=("Prospecting", "Retargeting", "Spring Sale", "Brand"),
    adsets=("Broad", "Lookalike"),
    creatives=("Video", "Carousel", "Photo"),
    first_number=0,
    first_id=238_500_000_000_000,
)
GOOGLE = AdAccount(
    account_id="2121450128",
    name="Safar Sandbox Search",
    zone=ZoneInfo("America/New_York"),
    currency="USD",
    campaigns=("Brand Search", "Generic Search", "Display"),
    adsets=("Exact", "Broad"),
    creatives=("Headline", "Offer"),
    first_number=1000,
    first_id=9_930_000_000,
)
GOOGLE_WITHOUT_ADS = AdAccount(
    account_id=GOOGLE.account_id,
    name=GOOGLE.name,
    zone=GOOGLE.zone,
    currency=GOOGLE.currency,
    campaigns=("Performance Max", "Performance Max Local"),
    adsets=("",),
    creatives=("",),
    first_number=1500,
    first_id=9_940_000_000,
)
"""The campaigns of the same account in which Google makes the ads itself and tells of no single one."""
TIKTOK = AdAccount(
    account_id="7211098765432101889",
    name="Safar Sandbox App",
    zone=ZoneInfo("Europe/London"),
    currency="GBP",
    campaigns=("App Installs", "App Retention"),
    adsets=("Interest", "Lookalike"),
    creatives=("Spark", "In-Feed", "Top View"),
    first_number=2000,
    first_id=1_780_000_000_000_000,
)
LINKEDIN = AdAccount(
    account_id="502840441",
    name="Safar Sandbox Business",
    zone=ZoneInfo("UTC"),
    currency="EUR",
    campaigns=("Partners", "Hiring"),
    adsets=("Retail", "Hospitality"),
    creatives=("Document", "Single Image"),
    first_number=3000,
    first_id=180_000_000,
)
