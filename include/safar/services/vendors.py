"""The simulated company's accounts at its vendors, and the connections that lead to them.

A new vendor of the sandbox gets a line in `ACCOUNTS`. Which of them are connected is chosen at the start
(``make run SOURCES=hubspot,shopify`` or ``SOURCES=all``); the tables of the others stand empty.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safar.errors import ConfigurationError
from safar.services.company import SENDGRID_KEY, Company

DEFAULT = frozenset({"hubspot", "meta_ads", "shopify"})
"""What `make run` connects when it is not told otherwise."""
HUBSPOT_TOKEN = "pat-sandbox"  # noqa: S105 - the sandbox's own, worth nothing elsewhere
META_TOKEN = "meta-sandbox"  # noqa: S105
SALESFORCE_SECRET = "salesforce-secret"  # noqa: S105
SHOP_SECRET = "shop-secret"  # noqa: S105
AD_ACCOUNT = "798085168510957"
LINKEDIN_TOKEN = "linkedin-sandbox"  # noqa: S105
TIKTOK_TOKEN = "tiktok-sandbox"  # noqa: S105
GOOGLE_SECRET = "google-secret"  # noqa: S105


@dataclass(frozen=True)
class Account:
    """An account at a vendor of the sandbox."""

    path: str
    """Where the vendor stands below the sandbox's address."""
    password: str = ""
    login: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)
    """``{company}`` in a text stands for the sandbox's address."""
    is_written: bool = False
    """Whether we also write there; by a connection of its own, ``<source>_write``."""


ACCOUNTS: Mapping[str, Account] = {
    "google_ads": Account(
        "/google/v26",
        GOOGLE_SECRET,
        "safar.apps.sandbox",
        {
            "customer_id": "2121450128",
            "login_customer_id": "1112223333",
            "developer_token": "developer-sandbox",
            "refresh_token": "1//google-sandbox",
            "token_url": "{company}/google/token",
        },
    ),
    "hubspot": Account("/hubspot", HUBSPOT_TOKEN, is_written=True),
    "linkedin_ads": Account("/linkedin/rest", LINKEDIN_TOKEN, extra={"account_id": "502840441", "version": "202609"}),
    "meta_ads": Account("/meta/v26.0", META_TOKEN, extra={"account_id": AD_ACCOUNT}),
    "salesforce": Account(
        "/salesforce", SALESFORCE_SECRET, "salesforce-sandbox", {"api_version": "66.0"}, is_written=True
    ),
    "shopify": Account("/shopify", SHOP_SECRET, "shop-sandbox", {"api_version": "2026-07"}, is_written=True),
    "tiktok_ads": Account("/tiktok/open_api/v1.3", TIKTOK_TOKEN, extra={"advertiser_id": "7211098765432101889"}),
}
"""Source -> its account, in the order of their names."""


def describe_vendors(
    company: Company, webhook_key: str, sources: Collection[str] = DEFAULT
) -> dict[str, dict[str, object]]:
    """The connections of the company's vendor accounts, in Airflow's JSON form.

    Args:
        sources: which of `ACCOUNTS` are connected.
    """
    connections: dict[str, dict[str, object]] = {
        "safar_sandbox": {"conn_type": "http", "host": company.base_url},
        "sendgrid": {
            "conn_type": "http",
            "host": f"{company.base_url}/sendgrid",
            "password": SENDGRID_KEY,
            "extra": {
                "from_email": "hello@safar.example",
                "from_name": "Safar",
                "event_public_key": webhook_key,
                "live": False,
            },
        },
    }
    for source in sources:
        account = ACCOUNTS[source]
        for name in (source, f"{source}_write") if account.is_written else (source,):
            connections[name] = {
                "conn_type": "http",
                "host": f"{company.base_url}{account.path}",
                "login": account.login,
                "password": account.password,
                "extra": {
                    key: value.replace("{company}", company.base_url) if isinstance(value, str) else value
                    for key, value in account.extra.items()
                },
            }
    return connections


def choose_sources(home: Path, asked: str) -> frozenset[str]:
    """The sources to connect: those asked for, and those that this home has connected before.

    Args:
        asked: names separated by commas, or ``all``; empty: the default ones.

    Raises:
        ConfigurationError: the company has no account of that name.
    """
    names = frozenset(name.strip() for name in asked.split(",") if name.strip()) or DEFAULT
    chosen = frozenset(ACCOUNTS) if names == {"all"} else names
    if unknown := sorted(chosen - set(ACCOUNTS)):
        raise ConfigurationError(
            f"SOURCES: the company has no account named {', '.join(unknown)}. "
            f"Give names of {', '.join(sorted(ACCOUNTS))}, separated by commas, or all."
        )
    path = home / "sources.json"
    before = frozenset(json.loads(path.read_text())) if path.exists() else frozenset()
    chosen |= before & set(ACCOUNTS)
    path.write_text(json.dumps(sorted(chosen)))
    return chosen
