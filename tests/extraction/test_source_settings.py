"""What a source's YAML says, setting by setting, is what the vendor is asked and what lands."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tiny_vendor import TOKEN, Fault, Handler, Vendor, answer

from safar.catalogue.fetching import Cursor, RateLimit
from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.errors import ConfigurationError, SafarError
from safar.extraction import Counts, check_load, land_source
from safar.extraction.client import open_client
from safar.extraction.cursors import format_instant
from safar.extraction.pacing import Pacer
from safar.extraction.session import Patience
from safar.outbound import Reach
from safar.workspace import Workspace

REACH = Reach("test", is_own_machine=True)
Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
BEARER = 'auth: {type: bearer, token: "{connection.password}"}'
BASIC = base64.b64encode(b"crm-user:right-token").decode()


def contact(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "changed": "2026-03-01T10:00:00Z",
        "properties": {"email": f"p{number}@example.com"},
        **more,
    }


def note_headers(seen: list[dict[str, str]]) -> Fault:
    """Remembers the request's headers and lets it be answered as usual."""

    def note(handler: Handler) -> bool:
        seen.append({name.lower(): value for name, value in handler.headers.items()})
        return False

    return note


@pytest.mark.parametrize(
    ("auth", "header", "query"),
    [
        ('{type: bearer, token: "{connection.password}"}', ("authorization", f"Bearer {TOKEN}"), None),
        ('{type: api_key, name: X-Key, api_key: "k {connection.password}"}', ("x-key", f"k {TOKEN}"), None),
        ('{type: api_key, name: key, api_key: "{connection.password}", location: query}', None, ("key", TOKEN)),
        (
            '{type: basic, username: crm-user, password: "{connection.password}"}',
            ("authorization", f"Basic {BASIC}"),
            None,
        ),
    ],
    ids=["bearer", "a key in a header", "a key in the query", "basic"],
)
def test_we_log_in_as_declared(
    auth: str, header: Any, query: Any, vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    seen: list[dict[str, str]] = []
    vendor.faults = [note_headers(seen)]
    client = open_client(
        declare("crm", (BEARER, f"auth: {auth}")), open_at().connections.get("crm"), REACH, Patience(attempts=1)
    )
    with suppress(SafarError):
        client.rest.get("/contacts")
    assert header is None or seen[0].get(header[0]) == header[1]
    assert query is None or vendor.requests[0][2][query[0]] == query[1]


def test_a_token_is_asked_for_where_and_with_what_is_declared(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    seen: list[dict[str, str]] = []
    vendor.faults = [lambda handler: False, note_headers(seen)]
    client = open_client(declare("shop"), open_at().connections.get("shop"), REACH)
    client.rest.post("/graphql", json={"variables": {"after": None}})
    assert vendor.requests[0][:2] == ("POST", "/token")
    asked = vendor.requests[0][2]
    assert (asked["client_id"], asked["client_secret"]) == (["shop-id"], ["shop-secret"])
    assert (seen[0]["x-shop-token"], seen[0].get("authorization")) == ("token-1", None)


def test_headers_of_the_client_and_of_the_endpoint_are_sent(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    seen: list[dict[str, str]] = []
    vendor.contacts, vendor.faults = [contact(1)], [note_headers(seen), note_headers(seen)]
    source = declare(
        "crm",
        (BEARER, BEARER + "\n            headers: {X-Client: ours}"),
        ("params: {limit: 2}\n", 'params: {limit: 2}\n                headers: {X-Api: "7"}\n'),
    )
    land_source(open_at(), source)
    assert [(headers["x-client"], headers.get("x-api")) for headers in seen] == [("ours", "7"), ("ours", None)]


@pytest.mark.parametrize(("extra", "sent"), [({"manager": "7"}, "m7"), ({}, None)])
def test_an_optional_header_is_sent_where_the_connection_has_what_it_names(
    extra: dict[str, str], sent: str | None, vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    seen: list[dict[str, str]] = []
    vendor.contacts, vendor.faults = [contact(1)], [note_headers(seen)]
    source = declare(
        "crm", (BEARER, BEARER + '\n            optional_headers: {X-Manager: "m{connection.extra.manager}"}')
    )
    connection = open_at().connections.get("crm").model_copy(update={"extra": extra})
    open_client(source, connection, REACH).rest.get("/contacts")
    assert seen[0].get("x-manager") == sent


def test_an_answer_without_a_list_is_an_error_unless_it_says_that_it_is_empty(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    vendor.faults = [answer(200, {"mask": "id"}), answer(200, {"mask": "id"})]
    with pytest.raises(SafarError, match="answered without 'results'"):
        land_source(open_at(), declare("crm"))
    source = declare("crm", ("              changes:", "                empty_when: mask\n              changes:"))
    assert land_source(open_at(), source).rows["contacts"] == Counts()
    vendor.faults = [answer(200, {"other": "id"})]
    with pytest.raises(SafarError, match="answered without 'results'"):
        land_source(open_at(), source)


def test_a_vendor_that_answers_errors_with_200_is_understood_by_its_codes(
    vendor: Vendor, declare: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    def tell(code: int, **more: Any) -> Fault:
        return answer(200, {"code": code, "told": f"words about {code}", **more})

    shape = (
        "errors: {code: code, message: told, good: [0], throttled: [40100], transient: ['5*'], "
        "unauthorised: [40105], pause: 5 minutes}"
    )
    source = declare("crm", ("errors: {code: policy, exhausted: [DAILY]}", shape))
    fine = tell(0, results=[])
    vendor.faults = [tell(40100), tell(51234), fine, fine]
    assert land_source(open_at(), source, patience).rows["contacts"] == Counts()
    assert naps[0] == 300.0
    assert len(naps) == 2
    for code, told in ((40002, "error 40002: words about 40002"), (40105, r"refuses our credentials \(error 40105\)")):
        vendor.faults = [tell(code), tell(code)]
        with pytest.raises(SafarError, match=told):
            land_source(open_at(), source, patience)


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ({"year": 2026, "month": 2, "day": 3}, "2026-02-03"),
        ("2026-02-03 00:00:00", "2026-02-03"),
        ({"year": 2026, "month": 2, "day": 30}, None),
        ("soon", None),
        (None, None),
    ],
)
def test_a_row_gets_the_day_and_what_the_vendor_does_not_repeat(
    told: Any, day: str | None, vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.days = [{"date_start": "2026-02-20", "when": {"at": told}, "ad": "a", "spend": "1"}]
    columns = "{name: spend, data_type: text}"
    more = [f"          - {{name: {name}, data_type: text}}" for name in ("on_day", "account", "when__at")]
    source = declare(
        "ads",
        ("data_selector: data", 'data_selector: data\n                add: {account: "{connection.host}"}'),
        ("add:", "dates: {on_day: when.at}\n                add:"),
        (columns, "\n".join([columns, *more])),
    )
    land_source(open_at(), source)
    assert select("select on_day, account from raw_ads.days") == [(day, vendor.base_url)]
    with pytest.raises(ConfigurationError, match=r"endpoint names the column 'account', which is not declared"):
        declare("ads", ("data_selector: data", "data_selector: data\n                add: {account: x}"))


@pytest.mark.parametrize(("told", "waited"), [("30s", 30.0), (12, 12.0), ("1.5s", 1.5)])
def test_we_wait_as_long_as_the_body_says(
    told: Any, waited: float, vendor: Vendor, declare: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    shape = "errors: {path: problem, code: kind, throttled: [SLOW], retry_after: delay}"
    vendor.contacts = [contact(1)]
    vendor.faults = [answer(429, {"problem": {"kind": "SLOW", "delay": told}})]
    source = declare("crm", ("errors: {code: policy, exhausted: [DAILY]}", shape))
    assert land_source(open_at(), source, patience).rows["contacts"] == Counts(new=1)
    assert naps == [waited]


def test_an_answer_that_takes_longer_than_the_timeout_is_asked_for_again(
    vendor: Vendor, declare: Declare, open_at: Open, patience: Patience
) -> None:
    release = threading.Event()

    def hold(handler: Handler) -> bool:
        release.wait(30)
        return False

    vendor.contacts, vendor.faults = [contact(1)], [hold]
    source = declare("crm", (BEARER, BEARER + "\n            timeout: 1 second"))
    assert land_source(open_at(), source, patience).rows["contacts"] == Counts(new=1)
    release.set()
    assert vendor.paths()[:2] == ["/contacts", "/contacts"]


def test_errors_are_read_where_and_as_declared(
    vendor: Vendor, declare: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    def fail(code: str, **more: Any) -> Fault:
        return answer(200, {"problem": {"what": {"kind": code}, "told": f"words about {code}"}, **more})

    shape = (
        "errors: {path: problem, code: what.kind, message: told, throttled: [SLOW], transient: [PASSES], "
        "exhausted: [DAY], wait: {requested: cost, available: left, restore_rate: rate}}"
    )
    source = declare("crm", ("errors: {code: policy, exhausted: [DAILY]}", shape))
    vendor.contacts = [contact(1)]
    vendor.faults = [fail("SLOW", cost=70, left=20, rate=10), fail("PASSES")]
    assert land_source(open_at(), source, patience).rows["contacts"] == Counts(new=1)
    assert naps[0] == 5.0
    assert len(naps) == 2
    for code, told in (("DAY", "quota of the day is used up"), ("OTHER", "error OTHER: words about OTHER")):
        vendor.faults = [fail(code)]
        with pytest.raises(SafarError, match=told):
            land_source(open_at(), source, patience)


@pytest.mark.parametrize("place", ["client", "endpoint"])
def test_the_declared_limit_makes_us_wait(place: str, vendor: Vendor, declare: Declare, open_at: Open) -> None:
    limit = "limit: {requests: 1, per: 90 seconds}"
    change = (
        (BEARER, f"{BEARER}\n            {limit}")
        if place == "client"
        else ("params: {limit: 2}\n", f"params: {{limit: 2}}\n                {limit}\n")
    )
    clock, patience = [0.0], Patience()
    source = declare("crm", change)
    client = open_client(source, open_at().connections.get("crm"), REACH, patience)
    endpoint = source.tables[0].extract.endpoint
    assert endpoint is not None
    client.pace(endpoint)
    told = endpoint.limit or source.client.limit
    assert told == RateLimit(requests=1, per=timedelta(seconds=90))
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        clock[0] += seconds

    pacer = client.session.pacer
    pacer._clock, pacer._sleep = lambda: clock[0], sleep
    pacer.wait()
    pacer.wait()
    assert naps == [90.0]


def test_while_the_vendor_tells_of_calls_left_nobody_waits() -> None:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    limit = RateLimit(requests=1, per=timedelta(seconds=90), remaining_header="X-Left")
    pacer = Pacer(limit, clock=lambda: clock[0], sleep=sleep)
    pacer.wait()
    pacer.learn({"X-Left": "1"})
    pacer.wait()
    assert clock[0] == 0
    pacer.wait()
    assert clock[0] == 90


@pytest.mark.parametrize(
    ("format_", "told"),
    [
        ("iso", "2026-03-02T02:00:00Z"),
        ("epoch_ms", "1772416800000"),
        ("epoch_s", "1772416800"),
        ("date", "2026-03-02"),
    ],
)
def test_a_cursor_is_written_as_the_vendor_reads_it(format_: Any, told: str) -> None:
    at = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    assert str(format_instant(at, Cursor(column="changed", format=format_))) == told


def test_the_first_load_begins_at_initial_and_the_next_overlaps(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    source = declare(
        "crm",
        ("overlap: 1 hour", 'initial: "2026-02-01T00:00:00Z", overlap: 3 hours'),
        ("params: {limit: 2}\n", 'params: {limit: 2, since: "{cursor.start}"}\n'),
    )
    vendor.contacts = [contact(1)]
    workspace = open_at()
    check_load(workspace, source, land_source(workspace, source).load_id)
    assert vendor.requests[0][2]["since"] == "2026-02-01T00:00:00Z"
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(days=1)
    land_source(workspace, source)
    assert vendor.bodies("/contacts/search")[0]["from"] == "2026-03-01T07:00:00Z"


def test_ties_begin_at_the_declared_id(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    source = declare("crm", ("tie_column: id", 'tie_column: id\n                tie_initial: "6"'))
    vendor.contacts = [contact(1)]
    workspace = open_at()
    check_load(workspace, source, land_source(workspace, source).load_id)
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(days=1)
    vendor.contacts = [contact(number) | {"changed": "2026-03-02T12:00:00Z"} for number in range(2, 9)]
    land_source(workspace, source)
    ties = [body for body in vendor.bodies("/contacts/search") if "at" in body]
    assert ties[0]["beyond"] == "6"


@pytest.mark.parametrize(("size", "calls"), [(2, [2, 2, 1]), (3, [3, 2])])
def test_a_batch_holds_so_many_values(
    size: int, calls: list[int], vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    vendor.contacts = [contact(number) for number in range(1, 6)]
    land_source(open_at(), declare("crm", ("size: 2}", f"size: {size}, concurrency: 1}}")))
    assert [len(body["inputs"]) for body in vendor.bodies("/consents")] == calls


@pytest.mark.parametrize("concurrency", [1, 2])
def test_so_many_batches_are_asked_for_at_once(
    concurrency: int, vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    together = threading.Barrier(2)
    met: list[bool] = []

    def wait_for_another(handler: Handler) -> bool:
        if handler.path.startswith("/consents"):
            try:
                together.wait(1 if concurrency == 1 else 60)
                met.append(True)
            except threading.BrokenBarrierError:
                met.append(False)
        return False

    vendor.contacts = [contact(number) for number in range(1, 5)]
    vendor.faults = [wait_for_another] * 20
    land_source(open_at(), declare("crm", ("size: 2}", f"size: 2, concurrency: {concurrency}}}")))
    assert set(met) == {concurrency == 2}


def test_a_row_that_says_so_is_a_tombstone(vendor: Vendor, declare: Declare, open_at: Open, select: Select) -> None:
    source = declare(
        "crm", ("modified_at: changed", "modified_at: changed\n              deleted: {column: score, equals: 0}")
    )
    vendor.contacts = [contact(1, score=0), contact(2, score=1)]
    land_source(open_at(), source)
    assert select("select id, coalesce(_deleted, false) from raw_crm.contacts order by id") == [
        ("1", True),
        ("2", False),
    ]


def test_a_value_that_no_tombstone_can_have_is_told(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    source = declare(
        "crm", ("modified_at: changed", "modified_at: changed\n              deleted: {column: score, equals: gone}")
    )
    with pytest.raises(
        ConfigurationError, match=r"contacts.*deleted\.equals: 'gone' can never stand .*'score'.*bigint"
    ):
        land_source(open_at(), source)


def test_what_vanished_is_retired_only_in_what_was_asked_about(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    workspace = open_at()
    everything = declare("ads")
    vendor.days = [{"date_start": "2026-02-20", "ad": ad, "spend": "1"} for ad in ("a", "b")]
    check_load(workspace, everything, land_source(workspace, everything).load_id)
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(days=1)
    vendor.days = []
    only_a = declare("ads", ("days: 28}", "days: 28, where: {ad: a}}"))
    assert land_source(workspace, only_a).rows["days"] == Counts(deleted=1)
    still = select("select ad from raw_ads.days where _dlt_valid_to is null and not coalesce(_deleted, false)")
    assert still == [("b",)]


def test_days_whose_answer_is_cut_are_asked_for_in_halves_and_one_that_is_too_long_is_told(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    # Like a vendor that tells two rows at most: the first two days have one each, the last two.
    vendor.days = [{"date_start": f"2026-02-{day}", "ad": str(day), "spend": "1"} for day in (10, 20)]
    vendor.page_size = 100
    source = declare("ads", ("days: 28}", "days: 28, most_rows: 2}"))
    assert land_source(open_at(), source).rows["days"] == Counts(new=2)
    assert len(vendor.requests) > 2
    assert select("select string_agg(ad, ' ' order by ad) from raw_ads.days") == [("10 20",)]
    vendor.days = [{"date_start": "2026-02-20", "ad": ad, "spend": "1"} for ad in ("a", "b")]
    with pytest.raises(SafarError, match=r"the answer for 2026-02-20 has 2 rows, which is where the vendor cuts it"):
        land_source(open_at(), source)


def test_a_window_s_days_are_known_by_their_parts(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    parts = '"{window.start.year}/{window.start.month}/{window.start.day} {window.end.day}"'
    source = declare("ads", ("params: {range:", f"params: {{parts: {parts}, range:"))
    land_source(open_at(), source)
    assert vendor.requests[0][2]["parts"] == "2026/2/3 2"


def test_a_source_s_cadences_and_schedule_are_read(declare: Declare) -> None:
    both = declare(
        "crm",
        (
            "connection: crm\n",
            'connection: crm\n          schedule: "5 3 * * *"\n          cadences: [nightly, intraday]\n',
        ),
    )
    assert (both.schedule, both.cadences) == ("5 3 * * *", ("nightly", "intraday"))
    assert (declare("ads").schedule, declare("ads").cadences) == ("0 2 * * *", ("nightly",))
