"""One SendGrid account: the vendor's parts around one memory, under the company's clock."""

from __future__ import annotations

import secrets
import weakref
from datetime import datetime

from sandbox.company import Company
from sandbox.faults import Fault
from sandbox.sendgrid.playing import Player
from sandbox.sendgrid.rate_limit import RateLimit
from sandbox.sendgrid.reach import Caller
from sandbox.sendgrid.signing import Signer
from sandbox.sendgrid.storage import Storage
from sandbox.sendgrid.suppressions import Suppressions
from sandbox.sendgrid.templates import Templates
from sandbox.sendgrid.webhooks import Webhooks

VENDOR = "sendgrid"


class Account:
    """The company's account with the vendor.

    Its memory is a file of its own, so that taking mails never waits for the company's writing.
    """

    def __init__(self, company: Company) -> None:
        home = company.config.home
        self.company = company
        self.rate_limit = RateLimit()
        self.storage = Storage(home / "sendgrid.sqlite")
        self.templates = Templates(self.storage, company.seed)
        self.suppressions = Suppressions(self.storage)
        caller = Caller()
        self.webhooks = Webhooks(self.storage, Signer.open(home / "sendgrid_webhook_key.pem"), caller)
        self.player = Player(company, self.storage, self.suppressions, self.webhooks, caller)
        self.refused_address: str | None = None
        """The one that the fault bad_request_for_one has settled on."""
        company.register_due_work(self.player.play)

    @property
    def now(self) -> datetime:
        return self.company.now

    @property
    def timestamp(self) -> int:
        """Unix seconds of the company's clock."""
        return int(self.now.timestamp())

    @property
    def are_limits_on(self) -> bool:
        return self.company.limits.are_on(VENDOR)

    def is_key(self, key: str) -> bool:
        return secrets.compare_digest(key.encode(), self.company.config.secrets.sendgrid_key.encode())

    def take_fault(self, names: tuple[str, ...], path: str) -> Fault | None:
        """The switched-on fault that spoils this call, if any; `path` is what stands below /sendgrid."""
        return self.company.faults.take(names, VENDOR, path)


_accounts: weakref.WeakKeyDictionary[Company, Account] = weakref.WeakKeyDictionary()


def find_account(company: Company) -> Account:
    """The company's one account, opened at the first call; the vendor, the mailbox and the truth share it."""
    account = _accounts.get(company)
    if account is None:
        account = _accounts[company] = Account(company)
    return account
