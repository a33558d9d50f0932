"""One HTTP session per source: waits when told to, tries again what may pass, and refuses to guess."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from safar.catalogue.fetching import Client, ErrorShape, Quota, QuotaReset
from safar.errors import SafarError
from safar.extraction.answers import (
    OK,
    QuotaUsedUp,
    Refusal,
    Throttled,
    Transient,
    Unauthorised,
    check_quota,
    read_answer,
)
from safar.extraction.pacing import Pacer
from safar.extraction.put_off import VendorExhausted
from safar.outbound import Reach, mount_guard

BROKEN = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


@dataclass(frozen=True)
class Patience:
    """How long to bear with a vendor. Waits that it asked for are not counted as failures."""

    attempts: int = 5
    first_wait: float = 0.5
    """Seconds before the second attempt; doubled each time, with jitter."""
    throttled_in_all: float = 900.0
    """Seconds of waiting for one answer; longer than that the load is put off instead."""
    sleep: Callable[[float], None] = time.sleep


class VendorSession(requests.Session):
    """A requests session that returns only good answers, their body parsed once."""

    def __init__(
        self,
        source: str,
        connection: str,
        base_url: str,
        errors: ErrorShape | None,
        timeout: timedelta,
        patience: Patience,
        reach: Reach,
    ) -> None:
        super().__init__()
        mount_guard(self, reach)
        self.source = source
        self.connection = connection
        self.patience = patience
        self.pacer = Pacer(None)
        self.quota: Quota | None = None
        self.quota_reset = Client().quota_reset
        self.is_for_tokens = False
        self.credentials: AuthBase | None = None
        self.accepted: frozenset[int] = frozenset()
        """Statuses that are good answers here although they are none elsewhere."""
        self._reach = reach
        self._origin = urlsplit(base_url)[:2]
        # Proxies and certificates of the environment are looked up once, not for each page.
        surroundings = self.merge_environment_settings(base_url, {}, None, None, None)
        self.proxies, self.verify, self.trust_env = surroundings["proxies"], surroundings["verify"], False
        self._errors = errors
        self._timeout = timeout.total_seconds()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Sends until there is a good answer.

        Raises:
            SafarError: there will be none; the message names source, request and remedy.
            VendorExhausted: there will be none for now.
            Expired: the query whose page was asked for is no longer kept.
        """
        if urlsplit(request.url or "")[:2] != self._origin:
            raise self._give_up(request, "the next page is on another host", "Check the host of the connection.")
        options["timeout"] = options.get("timeout") or self._timeout
        options["allow_redirects"] = False
        failures, throttles, throttled_for, is_renewed = 0, 0, 0.0, False
        while True:
            self.pacer.wait()
            try:
                return self._ask(request, options)
            except Throttled as told:
                throttles += 1
                wait = told.wait if told.wait is not None else self._backoff(min(throttles, 4))
                throttled_for += wait
                if throttled_for > self.patience.throttled_in_all:
                    raise self._put_off(request, "it throttles us", QuotaReset(after=timedelta(seconds=wait))) from None
            except Transient as problem:
                failures += 1
                if failures >= self.patience.attempts:
                    what = f"{problem}, {failures} times in a row"
                    raise self._give_up(request, what, "Run the load again when the vendor is well.") from None
                wait = self._backoff(failures)
            except Unauthorised as told:
                if is_renewed:
                    what = f"it refuses our credentials ({told})"
                    raise self._give_up(request, what, self._renew_remedy) from None
                is_renewed, wait = True, 0.0
                request = self._renew(request)
            except Refusal as refusal:
                remedy = self._renew_remedy if self.is_for_tokens else refusal.remedy
                raise self._give_up(request, refusal.what, remedy) from None
            self.patience.sleep(wait)

    def open_for(self, address: str) -> VendorSession:
        """A session for a file on another host: as patient and as guarded as this one, without credentials."""
        timeout = timedelta(seconds=self._timeout)
        return VendorSession(self.source, self.connection, address, None, timeout, self.patience, self._reach)

    def _ask(self, request: requests.PreparedRequest, options: dict[str, Any]) -> requests.Response:
        try:
            response = super().send(request, **options)
        except BROKEN as error:
            raise Transient(f"the answer broke off or never came ({type(error).__name__})") from None
        self.pacer.learn(response.headers)
        try:
            return self._judge(response, is_file=bool(options.get("stream")))
        except QuotaUsedUp as told:
            raise self._put_off(request, str(told), self.quota_reset) from None

    def _judge(self, response: requests.Response, *, is_file: bool) -> requests.Response:
        if self.quota is not None:
            check_quota(response.headers, self.quota)
        if is_file and response.status_code == OK:
            return response  # a file, read by whoever asked for it
        if response.status_code not in self.accepted:
            read_answer(response, self._errors)
        return response

    def _backoff(self, failures: int) -> float:
        longest: float = self.patience.first_wait * 2 ** max(0, failures - 1)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def _renew(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Applies the credentials afresh; a token that had run out is asked for again."""
        if self.credentials is None:
            return request
        forget = getattr(self.credentials, "forget", None)
        if forget is not None:
            forget()
        renewed: requests.PreparedRequest = self.credentials(request)
        return renewed

    @property
    def _renew_remedy(self) -> str:
        return f"Put a valid token or secret into the connection {self.connection!r} (Admin > Connections)."

    def _put_off(self, request: requests.PreparedRequest, what: str, reset: QuotaReset) -> VendorExhausted:
        return VendorExhausted(str(self._give_up(request, what, "Nothing needs to be done.")), reset)

    def _give_up(self, request: requests.PreparedRequest, what: str, remedy: str) -> SafarError:
        path = urlsplit(request.url or "").path
        return SafarError(f"{self.source}: {request.method} {path} failed: {what}. Nothing was landed. {remedy}")
