"""The simulated company as a process, and what a new customer of its vendors sets up there.

Safar knows the sandbox only by HTTP, as it knows any vendor.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from safar.errors import SafarError
from safar.services.supervision import Service, await_service, start_service

START = datetime(2026, 3, 2, tzinfo=UTC)
"""Where the company's clock stands when it is founded: two hours before its first night."""
SENDGRID_KEY = "SG.sandbox"
EVENT_KINDS = (
    "processed",
    "dropped",
    "deferred",
    "delivered",
    "bounce",
    "open",
    "click",
    "spam_report",
    "unsubscribe",
    "group_unsubscribe",
    "group_resubscribe",
)


@dataclass(frozen=True)
class Company:
    """The company's address and what its admin pages tell."""

    base_url: str

    def move_clock(self, to: datetime) -> None:
        """Lets the company live up to this moment; an earlier one changes nothing.

        Raises:
            SafarError: the sandbox refuses or does not answer.
        """
        if self.read_clock() >= to:
            return
        answer = requests.post(f"{self.base_url}/clock", json={"now": to.astimezone(UTC).isoformat()}, timeout=600)
        if answer.status_code >= 400:
            raise SafarError(f"The sandbox's clock refused {to}: {answer.status_code} {answer.text[:300]}")

    def read_clock(self) -> datetime:
        answer = requests.get(f"{self.base_url}/clock", timeout=60)
        answer.raise_for_status()
        return datetime.fromisoformat(answer.json()["now"])

    def count_mails(self) -> tuple[int, int]:
        """The sandbox's own count: mails that it took, and distinct message ids among them."""
        answer = requests.get(f"{self.base_url}/truth/sendgrid/mails", params={"limit": 1}, timeout=60)
        answer.raise_for_status()
        counts = answer.json()
        return counts["mail_count"], counts["message_count"]

    def register_webhook(self, intake_url: str) -> str:
        """Points SendGrid's signed event webhook at the intake; returns the public key of its signatures."""
        root = f"{self.base_url}/sendgrid/v3/user/webhooks/event/settings"
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {SENDGRID_KEY}"
        target = f"{intake_url}/webhooks/sendgrid"
        known = session.get(f"{root}/all", timeout=30).json().get("webhooks", [])
        settings = next((hook for hook in known if hook["url"] == target), None)
        if settings is None:
            wanted = dict.fromkeys(EVENT_KINDS, True)
            answer = session.post(root, json={"enabled": True, "url": target, **wanted}, timeout=30)
            answer.raise_for_status()
            settings = answer.json()
        signed = session.patch(f"{root}/signed/{settings['id']}", json={"enabled": True}, timeout=30)
        signed.raise_for_status()
        key: str = signed.json()["public_key"]
        return key

    def register_collector(self, intake_url: str, page_key: str, server_key: str) -> None:
        """Lets the company's site, app and server tell the intake what happens there."""
        collector = {"url": intake_url, "page_key": page_key, "server_key": server_key}
        requests.post(f"{self.base_url}/tracking/collector", json=collector, timeout=30).raise_for_status()


def start_company(
    home: Path, port: int, people: int, seed: int, environment: Mapping[str, str], logs: Path
) -> tuple[Service, Company]:
    """Starts the sandbox; it answers before its past is needed (see `await_company`)."""
    command = [sys.executable, "-m", "sandbox", "serve", "--port", str(port), "--home", str(home)]
    command += ["--people", str(people), "--seed", str(seed), "--start", START.isoformat()]
    # The shop is on the largest plan: 2,000 points of query cost a second.
    command += ["--shopify-rate", "2000"]
    return start_service("sandbox", command, environment, logs), Company(f"http://127.0.0.1:{port}")


def await_company(service: Service, company: Company, patience: float = 120.0) -> None:
    """Waits until the sandbox answers."""

    def is_ready() -> bool:
        try:
            return requests.get(f"{company.base_url}/health", timeout=5).ok
        except requests.RequestException:
            return False

    await_service(service, is_ready, patience)
