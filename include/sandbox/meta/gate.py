"""The door of Meta's routes: a token, and the account's calls within an hour."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from fastapi import Request

from sandbox.answers import Refused, bearer_token
from sandbox.company import Company
from sandbox.company.ad_accounts import META
from sandbox.meta.errors import refuse_pace, refuse_token
from sandbox.throttle import RollingWindow

CALLS_PER_HOUR = 600 + 400 * 24
"""600 and 400 for each active ad."""


@dataclass
class Gate:
    """One system user's door: its token, and the account's calls within an hour."""

    company: Company
    _calls: RollingWindow = field(default_factory=lambda: RollingWindow(CALLS_PER_HOUR, 3600))

    def enter(self, request: Request) -> dict[str, str]:
        """Lets a call in and returns its usage headers.

        Raises:
            Refused: wrong token or too many calls.
        """
        token = request.query_params.get("access_token") or bearer_token(request)
        if token != self.company.config.secrets.meta_token:
            raise Refused(refuse_token())
        if self.company.limits.are_on("meta") and not self._calls.take():
            response = refuse_pace()
            response.headers.update(self._describe(minutes=5))
            raise Refused(response)
        return self._describe(minutes=0)

    def _describe(self, minutes: int) -> dict[str, str]:
        percent = 100 - self._calls.remaining * 100 // CALLS_PER_HOUR
        usage = {
            "type": "ads_insights",
            "call_count": percent,
            "total_cputime": percent // 2,
            "total_time": percent // 2,
            "estimated_time_to_regain_access": minutes,
        }
        throttle = {"app_id_util_pct": percent, "acc_id_util_pct": percent, "ads_api_access_tier": "standard_access"}
        return {
            "X-Business-Use-Case-Usage": json.dumps({META.account_id: [usage]}),
            "X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": percent}),
            "X-Fb-Ads-Insights-Throttle": json.dumps(throttle),
        }
