"""What really became of the mails: for tests and for the driver's last comparison, never for Safar itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from sandbox import responses
from sandbox.clock import write_moment
from sandbox.sendgrid.guards import AccountHere, Json
from sandbox.sendgrid.storage import Row, Storage

NO_CAMPAIGN = "(none)"
"""Under this name the counts hold mails without categories."""


router = APIRouter(prefix="/truth/sendgrid")


@router.get("/mails")
def read_mails(
    account: AccountHere,
    message_id: str | None = None,
    campaign: str | None = None,
    limit: Annotated[int | None, Query(ge=1)] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Json:
    return describe_mails(account.storage, message_id, campaign, limit, offset)


@router.get("/counts")
def read_counts(account: AccountHere) -> Json:
    return describe_counts(account.storage)


@router.get("/effects")
def read_effects() -> Json:
    return describe_effects()


def describe_mails(
    storage: Storage,
    message_id: str | None = None,
    campaign: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Json:
    """Accepted mails by their custom_args.message_id, in the order of first acceptance."""
    mails = storage.rows(
        "select mail.*, x_message_id, accepted_at from mail join mail_request on request_id = mail_id / 1000"
        " where (?1 is null or message_id = ?1) and (?2 is null or campaign = ?2) order by mail_id",
        *(message_id, campaign),
    )
    grouped: defaultdict[object, list[Row]] = defaultdict(list)
    for mail in mails:
        grouped[mail["message_id"] or mail["mail_id"]].append(mail)
    events: defaultdict[int, list[str]] = defaultdict(list)
    for event in storage.rows(
        "select mail_id, kind from mail_event join mail using (mail_id) where happened = 1"
        " and (?1 is null or message_id = ?1) and (?2 is null or campaign = ?2) order by due_at",
        *(message_id, campaign),
    ):
        events[event["mail_id"]].append(event["kind"])
    page = list(grouped.values())[offset : None if limit is None else offset + limit]
    return {
        "mail_count": len(mails),
        "message_count": len({mail["message_id"] for mail in mails} - {None}),
        "duplicated": [group[0]["message_id"] for group in grouped.values() if len(group) > 1],
        "mails": [_describe_group(group, events) for group in page],
    }


def describe_counts(storage: Storage) -> Json:
    """Totals, and by campaign and step what was accepted and what came of it so far."""
    campaigns: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    for row in storage.rows(
        "select campaign, step, count(*) as accepted, sum(expected_extra_orders) as expected from mail group "
        "by campaign, step"
    ):
        counts = {"accepted": row["accepted"], "expected_extra_orders": round(row["expected"], 3)}
        campaigns[row["campaign"] or NO_CAMPAIGN][row["step"] or NO_CAMPAIGN] = counts
    for row in storage.rows(
        "select campaign, step, kind, count(*) as amount, count(distinct mail_id) as mails from mail_event"
        " join mail using (mail_id) where happened = 1 group by campaign, step, kind"
    ):
        name = {"order": "extra_orders"}.get(row["kind"], row["kind"])
        campaigns[row["campaign"] or NO_CAMPAIGN][row["step"] or NO_CAMPAIGN][name] = row["amount"]
    happened = Counter({row[0]: row[1] for row in storage.rows("select happened, count(*) from mail_event group by 1")})
    posts = {row[0]: row[1] for row in storage.rows("select outcome, count(*) from webhook_post group by 1")}
    return {
        "requests": storage.value("select count(*) from mail_request"),
        "accepted": storage.value("select count(*) from mail"),
        "refused_requests": storage.value("select amount from tally where name = 'refused_requests'") or 0,
        "campaigns": campaigns,
        "events": {"happened": happened[1], "waiting": happened[0]},
        "posts": {outcome: posts.get(outcome, 0) for outcome in ("delivered", "waiting", "given_up")},
    }


def describe_effects() -> Json:
    """The table by which people respond."""
    return {
        "campaigns": {name: asdict(appeal) for name, appeal in responses.APPEALS.items()},
        "other": asdict(responses.OTHER_APPEAL),
        "tired": {"within_days": responses.TIRED_WITHIN_DAYS, "factor": responses.TIRED_FACTOR},
        "gone_factor": responses.GONE_FACTOR,
        "uplift_of_one_person": "uplift * persuadability * tired * gone",
    }


def _describe_group(group: list[Row], events: dict[int, list[str]]) -> Json:
    first = group[0]
    return {
        "message_id": first["message_id"],
        "email": first["address"],
        "campaign": first["campaign"],
        "step": first["step"],
        "accepted_count": len(group),
        "accepted_at": [write_moment(datetime.fromtimestamp(mail["accepted_at"], UTC)) for mail in group],
        "x_message_ids": [mail["x_message_id"] for mail in group],
        "events": [kind for mail in group for kind in events.get(mail["mail_id"], ())],
    }
