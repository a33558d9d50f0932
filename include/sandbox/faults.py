"""What goes wrong on request: faults by name, each after something a real vendor does."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sandbox.store import Store

Remedy = Literal["ask_again", "come_back_later", "leave_out_the_record", "look_back", "give_up"]
"""What a reader can do about a fault: ask at once or in a moment; come back hours later; go on without the record;
ask next time for what changed before, too; or nothing at all until somebody mends it."""


@dataclass(frozen=True)
class Kind:
    """What can go wrong, after something a real vendor does."""

    description: str
    remedy: Remedy | None = None
    """None: it does not happen to who reads, or only to who reads more than a small company has."""
    vendor: str = ""
    """The only vendor that knows it; empty: every vendor may."""


KINDS: dict[str, Kind] = {
    "server_error": Kind(
        "500 with the vendor's error shape or plain text: every vendor now and then, most in deployments.", "ask_again"
    ),
    "garbage": Kind("200 with an HTML page where JSON was due: a proxy or a maintenance page in between.", "ask_again"),
    "cut_body": Kind(
        "The connection closes in the middle of the body: a chunked or short answer under load.", "ask_again"
    ),
    "timeout": Kind(
        "No answer for `seconds` (default 60), and the request is not carried out: an overloaded gateway.", "ask_again"
    ),
    "lost_answer": Kind(
        "The request is carried out, but its answer never arrives (waits `seconds`, default 60): the ambiguous write, "
        "SendGrid's 202 that nobody saw.",
        "ask_again",
    ),
    "slow": Kind("The answer comes after `seconds` (default 2): large pages at peak hours.", "ask_again"),
    "unauthorized": Kind(
        "401 in the vendor's error shape: a token expired or was revoked between two pages.", "ask_again"
    ),
    "throttle": Kind(
        "The vendor's own throttling answer (429; Shopify: 200 with THROTTLED, or 429 when `retry_after` is given; "
        "Meta: 400 with code 80000), with Retry-After when `retry_after` is given: another app used the quota up.",
        "ask_again",
    ),
    "quota_used_up": Kind(
        "The vendor's own answer once the day's calls are used up (HubSpot: 429 with policy DAILY): another app or a "
        "loop took them all. A vendor without such a quota answers 501.",
        "come_back_later",
    ),
    "missing_key": Kind(
        "The first record of a page has lost its identifier: seen where objects are half deleted.",
        "leave_out_the_record",
    ),
    "unparsable_date": Kind("The first record of a page has a modification date that is none.", "leave_out_the_record"),
    "bad_email": Kind(
        "The first record of a page has an e-mail that is none: CRMs keep what people typed.", "leave_out_the_record"
    ),
}
"""By name. What only one vendor knows is added by ``declare_fault``."""


def declare_fault(name: str, description: str, *, vendor: str, remedy: Remedy | None = None) -> None:
    """Adds a fault that one vendor knows by itself."""
    KINDS[name] = Kind(description, remedy, vendor)


@dataclass
class Fault:
    """A fault switched on for some calls."""

    fault_id: int
    name: str
    vendor: str = ""
    """The first part of a vendor's address, such as hubspot; empty for all."""
    path: str = ""
    """A regular expression searched in the path below the vendor's prefix; empty for all."""
    count: int | None = 1
    """How many calls it spoils; None until it is removed."""
    skip: int = 0
    """How many matching calls it lets pass first."""
    options: dict[str, Any] = field(default_factory=dict)

    def matches(self, vendor: str, path: str) -> bool:
        return self.vendor in ("", vendor) and re.search(self.path, path) is not None

    def number(self, name: str, default: float) -> float:
        """An option that is a number."""
        return float(self.options.get(name, default))


class Faults:
    """The faults that are switched on; they survive a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._active: list[Fault] = []
        for row in store.fetch_all("select fault_id, description from fault order by fault_id"):
            self._active.append(Fault(fault_id=row["fault_id"], **json.loads(row["description"])))

    def __bool__(self) -> bool:
        return bool(self._active)

    def switch_on(self, description: dict[str, Any]) -> Fault:
        """Switches a fault on; keys are those of ``Fault``, any other becomes one of its options.

        Raises:
            ValueError: no such fault, or a value of the wrong kind; says which names exist.
        """
        fault = read_fault(description)
        with self._lock:
            stored = {name: value for name, value in asdict(fault).items() if name != "fault_id"}
            fault.fault_id = self._store.execute("insert into fault (description) values (?)", (json.dumps(stored),))
            self._active.append(fault)
        return fault

    def switch_off(self, name: str | None = None) -> int:
        """Switches off one kind or all, and returns how many there were."""
        with self._lock:
            gone = [fault for fault in self._active if name in (None, fault.name)]
            for fault in gone:
                self._forget(fault)
        return len(gone)

    def list_active(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._active]

    def take(self, names: tuple[str, ...], vendor: str, path: str) -> Fault | None:
        """Finds the first switched-on fault of these names that matches a call, and counts the call."""
        if not self._active:
            return None
        with self._lock:
            for fault in self._active:
                if fault.name in names and fault.matches(vendor, path):
                    return self._count(fault)
        return None

    def spoil_records(
        self,
        vendor: str,
        path: str,
        records: list[dict[str, Any]],
        ways: Mapping[str, Callable[[dict[str, Any]], None]],
    ) -> None:
        """Spoils one record of a page (the first, or number `record`) in each way that is switched on."""
        if not self._active or not records:
            return
        for name, spoil in ways.items():
            fault = self.take((name,), vendor, path)
            if fault is not None:
                spoil(records[min(int(fault.number("record", 0)), len(records) - 1)])

    def _count(self, fault: Fault) -> Fault | None:
        if fault.skip > 0:
            fault.skip -= 1
            return None
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                self._forget(fault)
        return fault

    def _forget(self, fault: Fault) -> None:
        self._active.remove(fault)
        self._store.execute("delete from fault where fault_id = ?", (fault.fault_id,))


def read_fault(description: dict[str, Any]) -> Fault:
    """Reads a fault from JSON.

    Raises:
        ValueError: no such fault, or a value of the wrong kind.
    """
    known = {"name", "vendor", "path", "count", "skip"}
    name = description.get("name")
    if name not in KINDS:
        raise ValueError(f"there is no fault {name!r}; these are known: {', '.join(sorted(KINDS))}")
    count, skip = description.get("count", 1), description.get("skip", 0)
    if not (count is None or (isinstance(count, int) and count > 0)) or not isinstance(skip, int):
        raise ValueError("`count` is a whole number above 0 or null, `skip` a whole number")
    try:
        re.compile(str(description.get("path", "")))
    except re.error as error:
        raise ValueError(f"`path` is a regular expression, and this is none: {error}") from error
    options = {key: value for key, value in description.items() if key not in known}
    return Fault(0, name, str(description.get("vendor", "")), str(description.get("path", "")), count, skip, options)
