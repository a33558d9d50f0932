"""A small company in a scratch database: people, what they did, and the decisions that the real SQL makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row
from tests.decisions.project import DbtProject

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

# Views of the ledger on which no decision stands.
UNREAD = ("stg_ledger__goals", "stg_ledger__runs")

RULES: dict[str, Any] = {"caps": [], "universal_control": 0.0, "holdout_salt": "test"}


def seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


def step(name: str, wait: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
    """One acting step as the catalogue resolves it."""
    return {
        "name": name,
        "wait_seconds": seconds(wait),
        "when": None,
        "channel": "email",
        "template": f"{name}_template",
        "if_not_sent": "leave",
        **more,
    }


def campaign(name: str, *steps: dict[str, Any], max_lag: timedelta = DAY, **more: Any) -> dict[str, Any]:
    """A nightly campaign as the catalogue hands it to dbt; without steps it has one named `mail`."""
    again_after = more.pop("again_after", None)
    named = [step(**one) if "template" not in one else dict(one) for one in (steps or ({"name": "mail"},))]
    for before, after in zip([None, *named], named, strict=False):
        after["previous"] = before["name"] if before else None
    return {
        "name": name,
        "audience": "audience_cart_abandonment",
        "cadence": "nightly",
        "again": "each_occurrence",
        "again_after_seconds": seconds(again_after),
        "goal_model": None,
        "goal_at": None,
        "exit": None,
        "class": "marketing",
        "topic": "marketing",
        "priority": 50,
        "holdout": 0.0,
        "max_lag_seconds": seconds(max_lag),
        "journey_version": "1",
        "steps": named,
        **more,
    }


@dataclass
class Run:
    """A pinned run; deciding it again reads the same pins."""

    run_id: str
    sequence: int
    as_of: datetime
    known_at: datetime


@dataclass
class Company:
    """Writes what happened straight into the tables that the decisions read, and decides."""

    dsn: str
    project: DbtProject
    rules: dict[str, Any] = field(default_factory=lambda: dict(RULES))
    pinned: str = ""

    def execute(self, statement: str, parameters: Any = None) -> list[Any]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.cursor(row_factory=dict_row).execute(statement, parameters)
            return [_name_fields(row) for row in cursor.fetchall()] if cursor.description else []

    def meet(self, *people: str, address: str | None = None, consent: bool = True, is_valid: bool = True) -> None:
        """People with an address each (or one for all) who have agreed to marketing."""
        for person in people:
            hashed = address or f"hash-{person}"
            self.execute(
                "insert into ledger.address (contact_id, channel, address_hash, address_key_id, is_valid, locale, from_sequence)"
                " values (%s, 'email', %s, 'test', %s, 'en', 0)",
                [person, hashed, is_valid],
            )
            if consent:
                self.permit(hashed)

    def meet_many(self, people: list[str]) -> None:
        """The same for a crowd, in two statements."""
        self.execute(
            "insert into ledger.address (contact_id, channel, address_hash, address_key_id, is_valid, locale, from_sequence)"
            " select person, 'email', 'hash-' || person, 'test', true, 'en', 0 from unnest(%s::text[]) as person",
            [people],
        )
        self.execute(
            "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at)"
            " select 'email', 'marketing', 'hash-' || person, 'granted', 'test', person, %s from unnest(%s::text[]) as person",
            [NIGHT - 100 * DAY, people],
        )

    def permit(
        self, address_hash: str, state: str = "granted", topic: str = "marketing", at: datetime = NIGHT - 100 * DAY
    ) -> None:
        self.execute(
            "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at)"
            " values ('email', %s, %s, %s, 'test', %s, %s)",
            [topic, address_hash, state, uuid4().hex, at],
        )

    def suppress(self, address_hash: str, reason: str = "bounce") -> None:
        self.execute(
            "insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)"
            " values ('email', %s, %s, 'test', %s, %s)",
            [address_hash, reason, uuid4().hex, NIGHT - DAY],
        )

    def stop(self, reason: str = "mistake", **scope: str) -> None:
        columns = ["reason", "created_by", *scope]
        self.execute(
            f"insert into ledger.stop ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})",
            [reason, "test", *scope.values()],
        )

    def alias(self, old: str, new: str) -> None:
        self.execute(
            "insert into ledger.contact_alias (alias_id, contact_id, from_sequence) values (%s, %s, 0)", [old, new]
        )

    def order(self, person: str, at: datetime) -> None:
        self.execute("insert into nightly_marts.fct_orders (contact_id, ordered_at) values (%s, %s)", [person, at])

    def occur(
        self,
        person: str,
        at: datetime = NIGHT - HOUR,
        key: str = "once",
        audience: str = "audience_cart_abandonment",
    ) -> None:
        """Puts a person into an audience."""
        self.execute(
            f"insert into nightly_audiences.{audience} (contact_id, occurrence_key, occurred_at, first_name, locale)"
            " values (%s, %s, %s, %s, 'en')",
            [person, key, at, person.title()],
        )

    def empty(self, audience: str = "audience_cart_abandonment") -> None:
        self.execute(f"delete from nightly_audiences.{audience}")

    def project_table(self, name: str) -> None:
        """Creates a model's table anew, empty."""
        with psycopg.connect(self.dsn) as connection:
            self.project.create_table(connection, name)

    def pin(self, as_of: datetime = NIGHT, run_id: str | None = None) -> Run:
        row = self.execute(
            "insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)"
            " values (%(run_id)s, 'nightly', 'test', %(run_id)s, %(as_of)s,"
            "  jsonb_build_object('ledger', clock_timestamp()), 'test')"
            " returning sequence, (known_at ->> 'ledger')::timestamptz as known_at",
            {"run_id": run_id or f"test/{uuid4().hex}", "as_of": as_of},
        )[0]
        run_id = self.execute("select run_id from ledger.run where sequence = %s", [row.sequence])[0].run_id
        return Run(run_id, row.sequence, as_of, row.known_at)

    def decide(self, run: Run, *campaigns: dict[str, Any], blocked: Iterable[str] = ()) -> dict[tuple[str, ...], str]:
        """Decides and returns the outcomes of the run by (campaign, step, contact)."""
        self.build(run, campaigns, blocked)
        return {(row.campaign, row.step, row.contact_id): row.outcome for row in self.read_decisions(run)}

    def build(self, run: Run, campaigns: Iterable[dict[str, Any]], blocked: Iterable[str] = ()) -> None:
        # The views of the ledger hold the pin; who decides again finds them as they were.
        is_pinned_anew, self.pinned = self.pinned != run.run_id, run.run_id
        staging = ["path:models/staging/ledger"] if is_pinned_anew else []
        self._run(["run", "--select", *staging, "path:models/decisions", "--exclude", *UNREAD], run, campaigns, blocked)

    def test(self, name: str, run: Run, *campaigns: dict[str, Any]) -> None:
        """Runs one test of the project over the run's decisions."""
        self._run(["test", "--select", name], run, campaigns, ())

    def _run(self, command: list[str], run: Run, campaigns: Iterable[dict[str, Any]], blocked: Iterable[str]) -> None:
        pin = {
            "run_id": run.run_id,
            "sequence": run.sequence,
            "cadence": "nightly",
            "as_of": run.as_of.isoformat(),
            "known_at": {"ledger": run.known_at.isoformat()},
            "blocked_campaigns": sorted(blocked),
        }
        rules = {**self.rules}
        caps = rules.pop("caps")
        plans = {"campaigns": [{"caps": caps, **plan} for plan in campaigns], "rules": rules}
        self.project.run(command, {"SAFAR_PIN": json.dumps(pin), "SAFAR_CAMPAIGNS": json.dumps(plans)})

    def read_decisions(self, run: Run) -> list[Any]:
        return self.execute(
            "select * from decisions.fct_decisions where run_id = %s"
            " order by campaign, step, contact_id, occurrence_key",
            [run.run_id],
        )

    def read_entries(self) -> list[Any]:
        return self.execute("select * from decisions.fct_entries order by campaign, contact_id, occurrence_key")

    def dump(self, run: Run) -> str:
        """Everything that the run wrote, for comparing two times."""
        with psycopg.connect(self.dsn) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            rows = [
                sorted(str(row) for row in cursor.execute(query, [run.run_id]).fetchall())
                for query in (
                    "select * from decisions.fct_entries where run_id = %s",
                    "select * from decisions.fct_decisions where run_id = %s",
                )
            ]
        return "\n".join([*rows[0], *rows[1]])

    def plan(self, run: Run, *campaigns: str, result: str = "planned") -> None:
        """Writes what `plan` writes for the sends of the run."""
        for row in self.read_decisions(run):
            if row.outcome == "send" and (not campaigns or row.campaign in campaigns):
                self._plan_one(run, row, result)

    def _plan_one(self, run: Run, row: Any, result: str) -> None:
        key = {
            "run_id": run.run_id,
            "campaign": row.campaign,
            "step": row.step,
            "contact_id": row.contact_id,
            "occurrence_key": row.occurrence_key,
        }
        action_id = uuid4() if result == "planned" else None
        with psycopg.connect(self.dsn) as connection:
            if action_id:
                times = {"entry_occurred_at": row.entry_occurred_at, "due_at": row.due_at, "expires_at": row.expires_at}
                action = {**key, **times, "action_id": action_id, "class": row.class_, "planned_at": run.as_of}
                _insert(connection, "action", {**action, "kind": "message"})
                message = {
                    "message_id": uuid4(),
                    "channel": row.channel,
                    "priority": row.priority,
                    "template": row.template,
                }
                address = {"locale": row.locale, "address_hash": row.address_hash, "address_key_id": "test"}
                _insert(connection, "message", {**action, **message, **address})
            _insert(connection, "plan_result", {**key, "result": result, "action_id": action_id})

    def move(self, state: str, at: datetime, where: str = "true") -> None:
        """Moves messages to a state by the legal way; accepted goes through claimed and attempting."""
        path = {"accepted": ["claimed", "attempting", "accepted"], "failed": ["claimed", "attempting", "failed"]}
        claim_id = uuid4().hex
        self.execute(
            "insert into ledger.claim (claim_id, lease_until, message_ids)"
            " values (%s, now() + interval '5 minutes', array[gen_random_uuid()])",
            [claim_id],
        )
        stamps = {
            "claimed": f", claimed_at = %(at)s, claimed_by = '{claim_id}'",
            "attempting": ", attempted_at = %(at)s, attempt_count = attempt_count + 1",
            "accepted": ", accepted_at = %(at)s",
        }
        for each in path.get(state, [state]):
            stamp = stamps.get(each, "")
            self.execute(
                f"update ledger.message set state = %(state)s{stamp} where state not in ('accepted', 'failed') and {where}",
                {"state": each, "at": at},
            )

    def send(self, person: str, at: datetime, state: str = "accepted", **more: str) -> None:
        """A message of another campaign in the past."""
        run = self.pin(at)
        self._plan_one(run, _PastMessage(**{"contact_id": person, "at": at, **more}), "planned")
        if state != "planned":
            self.move(state, at, where=f"run_id = '{run.run_id}'")

    def answer(self, person: str, event_type: str, at: datetime, name: str, machine: bool = False) -> None:
        """An event of the provider about the last message of a person in a campaign."""
        self.execute(
            "insert into ledger.provider_event (provider, event_id, message_id, event_type, occurred_at, payload)"
            " select 'test', %s, message_id, %s, %s, %s from ledger.message"
            " where contact_id = %s and campaign = %s order by recorded_at desc limit 1",
            [uuid4().hex, event_type, at, json.dumps({"sg_machine_open": True} if machine else {}), person, name],
        )


@dataclass
class _PastMessage:
    contact_id: str
    at: datetime
    campaign: str = "other"
    occurrence_key: str = field(default_factory=lambda: uuid4().hex)
    step: str = "mail"
    channel: str = "email"
    template: str = "mail"
    class_: str = "marketing"
    priority: int = 1
    locale: str = "en"

    @property
    def address_hash(self) -> str:
        return f"hash-{self.contact_id}"

    @property
    def entry_occurred_at(self) -> datetime:
        return self.at

    @property
    def due_at(self) -> datetime:
        return self.at

    @property
    def expires_at(self) -> datetime:
        return self.at + DAY


def _name_fields(row: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**{"class_" if name == "class" else name: value for name, value in row.items()})


def _insert(connection: psycopg.Connection[Any], table: str, values: dict[str, Any]) -> None:
    columns = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    connection.execute(f"insert into ledger.{table} ({columns}) values ({marks})", values)
