"""How a vendor's tables are fetched: the grammar of ``config.meta.extract`` of a dbt source.

Placeholders in any text: ``{connection.password}``, ``{connection.login}``, ``{connection.host}``,
``{connection.extra.<name>}``; in endpoints also ``{cursor.start}``, ``{cursor.end}``, ``{cursor.at}``,
``{cursor.after}``, ``{window.start}``, ``{window.end}`` (of both also ``{window.start.year}``, month and day, without
leading zeros), ``{batch}`` (a list, standing alone) and ``{batch.one}`` (a batch's only value), where a job makes the
rows ``{job.id}`` and what it keeps (see `safar.catalogue.jobs`), and in what asks for a list's next page ``{inner.id}``
and ``{inner.after}`` (see `safar.catalogue.inner_lists`); in requests that erase ``{record}`` or ``{address}``.
All other braces stay as they are, so a GraphQL query is written as it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from safar.catalogue.duration import Duration
from safar.catalogue.frozen import Frozen as Frozen
from safar.catalogue.inner_lists import InnerList
from safar.catalogue.jobs import Job, Nesting, NextPage
from safar.catalogue.reshaping import Unnest
from safar.catalogue.share import Share


class Auth(Frozen):
    """How each request proves who we are; the secrets come from the connection by placeholders."""

    type: Literal[
        "bearer", "api_key", "basic", "oauth2_client_credentials", "oauth2_refresh_token", "oauth2_jwt_bearer"
    ]
    token: str | None = None
    name: str | None = None
    api_key: str | None = None
    location: Literal["header", "query"] = "header"
    username: str | None = None
    password: str | None = None
    access_token_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    access_token_header: str | None = None
    """The header that carries the token when it is not ``Authorization: Bearer``."""
    refresh_token: str | None = None
    """For a refresh token: the lasting one, for which short-lived ones are given."""
    private_key: str | None = None
    """For a JWT bearer: the RSA key, PEM, that signs the assertion."""
    subject: str | None = None
    """For a JWT bearer: the user as whom we ask."""
    audience: str | None = None
    """For a JWT bearer: for whom the assertion is meant."""

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Auth:
        if (self.type == "oauth2_refresh_token") != (self.refresh_token is not None):
            raise ValueError("refresh_token belongs to type oauth2_refresh_token, which needs one")
        return self


class Throttling(Frozen):
    """Paths in an answer's body from which the exact wait follows: (requested - available) / rate seconds."""

    requested: str
    available: str
    restore_rate: str


class ErrorShape(Frozen):
    """How this vendor says in a body that something went wrong, whatever the HTTP status is."""

    path: str = ""
    """Where the error stands in the body; empty: the body itself, looked at from status 400 on."""
    code: str
    """Where the code stands, from ``path`` on. In the lists below a ``*`` stands for any characters."""
    message: str = "message"
    good: tuple[str, ...] = ()
    """Codes that mean no error, for vendors that send one with every answer: there the status says nothing."""
    throttled: tuple[str, ...] = ()
    transient: tuple[str, ...] = ()
    exhausted: tuple[str, ...] = ()
    """Codes of a daily quota: asking again before ``quota_reset`` is of no use."""
    expired: tuple[str, ...] = ()
    """Codes of a query whose next page is no longer kept: it is asked anew from the last row's cursor, so a table
    with such a source sorts by its cursor."""
    unauthorised: tuple[str, ...] = ()
    """Codes that mean what HTTP 401 does."""
    wait: Throttling | None = None
    pause: Duration | None = None
    """How long to wait when throttled by a vendor that never says how long."""
    retry_after: str | None = None
    """Where, from ``path`` on, stands how long to wait when throttled: seconds, as a number or like ``30s``."""

    @field_validator("good", "throttled", "transient", "exhausted", "expired", "unauthorised", mode="before")
    @classmethod
    def _codes_are_text(cls, value: Any) -> Any:
        return tuple(str(code) for code in value) if isinstance(value, list) else value


class RateLimit(Frozen):
    """How many calls the vendor allows; its own headers, where it sends them, count more than our number."""

    requests: int | None = Field(default=None, gt=0)
    per: Duration = timedelta(seconds=1)
    requests_header: str | None = None
    per_ms_header: str | None = None
    remaining_header: str | None = None
    """While it tells of calls left, we do not wait, whatever the other numbers say."""


class Quota(Frozen):
    """A header in which the vendor counts the calls of the day; they are the company's, not ours alone."""

    header: str
    pattern: str
    """A regular expression with two groups: calls used, calls allowed."""
    leave: Share
    """The share that is left to others: once no more than that is left, the load lands nothing and is put off."""

    @field_validator("pattern")
    @classmethod
    def _has_two_groups(cls, value: str) -> str:
        if re.compile(value).groups != 2:
            raise ValueError("write two groups: calls used, calls allowed, like 'api-usage=(\\d+)/(\\d+)'")
        return value


class QuotaReset(Frozen):
    """When a vendor that takes no more calls takes them again: at a time of day, or bit by bit."""

    at: time | None = None
    """The time of day at which it begins to count anew, in ``time_zone``."""
    time_zone: str = "UTC"
    after: Duration | None = None
    """For a vendor that counts the last 24 hours: how long to wait until it is worth asking again."""

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not a time zone; write one like Europe/Berlin")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> QuotaReset:
        if (self.at is None) == (self.after is None):
            raise ValueError("give either `at` (a time of day) or `after` (a duration)")
        return self

    def next_after(self, moment: datetime) -> datetime:
        """The first moment after this one, in UTC, at which calls are taken again."""
        if self.after is not None:
            return moment + self.after
        assert self.at is not None
        there = moment.astimezone(ZoneInfo(self.time_zone))
        today = datetime.combine(there.date(), self.at, there.tzinfo)
        again = today if today > there else datetime.combine(there.date() + timedelta(days=1), self.at, there.tzinfo)
        return again.astimezone(UTC)


class Client(Frozen):
    """What all requests to a vendor have in common. The base URL is the connection's host."""

    auth: Auth | tuple[Auth, ...] | None = None
    """Several: the first for which the connection has all that it names."""
    headers: dict[str, str] = Field(default_factory=dict)
    optional_headers: dict[str, str] = Field(default_factory=dict)
    """Sent only where the connection has all that they name."""
    timeout: Duration = timedelta(seconds=60)
    errors: ErrorShape | None = None
    limit: RateLimit | None = None
    quota: Quota | None = None
    quota_reset: QuotaReset = QuotaReset(after=timedelta(hours=1))
    """When a load that found the day's calls used up is tried again."""


class Endpoint(Frozen):
    """One request and how its pages follow; ``paginator`` is dlt's, e.g. ``{type: cursor, ...}``."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    json_: dict[str, Any] | None = Field(default=None, alias="json")
    headers: dict[str, str] = Field(default_factory=dict)
    paginator: dict[str, Any] | str = "single_page"
    data_selector: str = ""
    """Where the rows stand in the body; a body without it is an error, not an empty page."""
    empty_when: str | None = None
    """For vendors that leave an empty list out: what a body without rows has all the same."""
    limit: RateLimit | None = None
    """For an endpoint that the vendor counts apart."""
    omit: tuple[str, ...] = ()
    """Fields of a row that say nothing about it, such as its own address; they are not read."""
    unnest: Unnest | None = None
    """Where a list inside each record holds the rows."""
    pairs: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """Field of a row that is a list of names with values -> what the name and the value are called in it. It becomes an
    object, so each name is a column of its own; of a name that comes twice the values are joined by semicolons."""
    add: dict[str, str] = Field(default_factory=dict)
    """Column -> what the vendor's rows do not repeat, such as the account that was asked for."""
    dates: dict[str, str] = Field(default_factory=dict)
    """Column -> where in a row its day stands: an object of year, month and day, or a text that begins with an ISO
    date. What is none leaves the column empty."""
    inner: tuple[InnerList, ...] = ()
    """Lists inside a record that come in pages of their own; they are read to their end."""
    job: Job | None = None
    """What the vendor has to do before this request has an answer."""
    format: Literal["json", "csv", "json_lines"] = "json"
    """csv (with a header line) and json_lines are files, gzipped or not; they are stored, then read row by row.
    Their path may be an address on another host, to which no credentials are sent."""
    next_page: NextPage | None = None
    """For files that come in pages."""
    nesting: Nesting | None = None
    """For JSON lines whose children stand on lines of their own."""

    @model_validator(mode="after")
    def _fits_its_format(self) -> Endpoint:
        if self.format == "json" and not self.data_selector:
            raise ValueError("data_selector is missing; it says where the rows stand in the body")
        if self.format != "json" and (self.data_selector or self.paginator != "single_page"):
            raise ValueError("a file has no data_selector and no paginator; its pages follow by next_page")
        if self.format == "json" and self.next_page:
            raise ValueError("next_page is for files; name a paginator")
        if self.format != "json_lines" and self.nesting:
            raise ValueError("nesting is for format json_lines")
        if self.format != "json" and self.inner:
            raise ValueError("inner is for format json; a file tells a list's items on lines of their own (nesting)")
        return self


class Cursor(Frozen):
    """By which column the vendor tells what has changed since the last load."""

    column: str
    initial: str = "1970-01-01T00:00:00Z"
    overlap: Duration = timedelta(hours=1)
    """Asked for again each time: vendors index late and clocks differ."""
    format: Literal["iso", "epoch_ms", "epoch_s", "date"] = "iso"
    newest_first: bool = False
    """The vendor tells the newest rows first and cannot be asked for changes alone: no page is asked for after one that
    ends before the last load's cursor. What belongs to a value of `batch` that no load knew is read to its end."""


class Cap(Frozen):
    """After ``rows`` rows of one query a new one starts from the last row's cursor.

    For vendors that cap a query's results, and, with a page's size as ``rows``, for those whose pages shift
    while records change. Where that many rows share one instant, ``ties`` replaces the body: it asks for the
    rows at ``{cursor.at}`` whose ``tie_column`` is greater than ``{cursor.after}``, in that order.
    """

    rows: int = Field(gt=0)
    tie_column: str
    tie_initial: str = "0"
    ties: dict[str, Any]


class Window(Frozen):
    """The last ``days`` days are asked for anew; what vanished from a day is retired."""

    column: str
    days: int = Field(gt=0)
    where: dict[str, str] = Field(default_factory=dict)
    """Further columns that bound what the request covers, e.g. the account."""
    most_rows: int | None = Field(default=None, gt=0)
    """For a vendor that ends its answer after so many rows without a word: days whose answer has as many are asked for
    in halves, and a single day that has is an error."""


class Batch(Frozen):
    """Ask once per ``size`` values of another table's column: ``{batch}``, or ``{batch.one}`` where ``size`` is 1.

    The values are those of this load and, where the other table is not read as a whole, those that earlier loads left
    open. With a ``cursor`` of its own the table asks each of them for what is newer; a value that is new then has to
    tell nothing older, unless the newest rows come first.
    """

    table: str
    column: str
    size: int = Field(gt=0)
    each: str | None = None
    """The name of the field that holds one value, where the vendor wants a list of objects."""
    into: str | None = None
    """The column that gets the value asked for, where the vendor's rows do not repeat it; needs ``size: 1``."""
    only_changed: bool = False
    """Only the values of records that this load brought."""
    where: dict[str, str] = Field(default_factory=dict)
    """Only the values of rows in which these columns have these values."""
    concurrency: int = Field(default=2, gt=0, le=16)


class Tombstone(Frozen):
    """A row whose column has this value says that the record is gone."""

    column: str
    equals: Any = True


class Erased(Frozen):
    """How the vendor tells that it has erased a person itself; Safar then does the same.

    Either a row whose ``column`` has this value, or a ``lookup`` by which records are found that the vendor neither
    has nor lists among its deletions any more: they are gone for good, where archived ones can be restored.
    """

    column: str | None = None
    equals: Any = True
    lookup: Endpoint | None = None
    """Asked for ``{batch}``, a list of known ids; what does not come back is gone."""
    size: int = Field(default=100, gt=0)
    each: str | None = None
    """The name of the field that holds one id, where the vendor wants a list of objects."""
    at_most: int = Field(default=20, gt=0)
    """More people gone at once than this are no erasures but a fault: nobody is erased, and the load fails."""


class EraseRequest(Frozen):
    """One request that erases a person at the vendor, sent for each of their ids or addresses."""

    each: Literal["record", "address"]
    path: str
    method: Literal["GET", "POST", "DELETE"] = "POST"
    json_: dict[str, Any] | None = Field(default=None, alias="json")
    problems: str | None = None
    """Where in the body of a good answer the vendor may list what is wrong."""
    code: str = "code"
    """Where in such a problem its code stands."""
    gone: tuple[str, ...] = ()
    """HTTP statuses, or codes of such problems, by which the vendor says that there is nobody to erase."""

    @field_validator("gone", mode="before")
    @classmethod
    def _codes_are_text(cls, value: Any) -> Any:
        return tuple(str(code) for code in value) if isinstance(value, list) else value


class Erase(Frozen):
    """How a person is erased at the vendor, with credentials that extraction does not have."""

    connection: str
    requests: tuple[EraseRequest, ...]


class Files(Frozen):
    """A table's files in the connection's folder (extra.path)."""

    pattern: str
    separator: str = ","
    """One character, ``whitespace``, or ``regex:<pattern>``."""
    has_header: bool = True
    fields: tuple[str, ...] = ()
    """Names by position, for files without a header (or to replace it); ``_`` leaves a field out."""
    mapping: dict[str, str] = Field(default_factory=dict)
    """Name in the file -> column. ``file_name`` and ``line_number`` may be mapped too."""
    date_formats: dict[str, str] = Field(default_factory=dict)
    """Column -> strptime format; without one ISO 8601 is expected. Times without a zone are UTC."""
    encoding: str = "utf-8"
    visible_from: str | None = None
    """Column with the event's time: a row is read once business time has passed it (replays)."""
