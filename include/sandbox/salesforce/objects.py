"""Which objects the org has, with their fields, and how a value is written in JSON and in CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.clock import write_seconds

TEXT, FLAG, NUMBER, MOMENT, DAY = "string", "boolean", "double", "datetime", "date"
_STAMPS = {"CreatedDate": MOMENT, "LastModifiedDate": MOMENT, "SystemModstamp": MOMENT}
_PERSON = dict.fromkeys(
    ("FirstName", "LastName", "Email", "Phone", "Title", "LeadSource", "OwnerId", "MasterRecordId"), TEXT
) | {"HasOptedOutOfEmail": FLAG}

OBJECTS: dict[str, dict[str, str]] = {
    "User": {"Id": TEXT, "Name": TEXT, "Email": TEXT, "IsActive": FLAG, "Department": TEXT, **_STAMPS},
    "Account": {
        **dict.fromkeys(("Id", "Name", "Type", "Industry", "BillingCountry", "Website", "OwnerId"), TEXT),
        **dict.fromkeys(("NumberOfEmployees", "AnnualRevenue"), NUMBER),
        **{"MasterRecordId": TEXT, "IsDeleted": FLAG, **_STAMPS},
    },
    "Contact": {
        **{"Id": TEXT, "AccountId": TEXT, **_PERSON, "Birthdate": DAY},
        **dict.fromkeys(("MobilePhone", "Department", "MailingCity", "MailingCountry"), TEXT),
        **{"IsDeleted": FLAG, **_STAMPS},
    },
    "Lead": {
        **{"Id": TEXT, **_PERSON},
        **dict.fromkeys(("Company", "Status", "Industry", "Country", "Description"), TEXT),
        **{"IsConverted": FLAG, "ConvertedDate": DAY},
        **dict.fromkeys(("ConvertedContactId", "ConvertedAccountId", "ConvertedOpportunityId"), TEXT),
        **{"IsDeleted": FLAG, **_STAMPS},
    },
    "Opportunity": {
        **dict.fromkeys(("Id", "AccountId", "ContactId", "Name", "StageName", "Type", "LeadSource", "OwnerId"), TEXT),
        **{"Amount": NUMBER, "Probability": NUMBER, "CloseDate": DAY, "IsClosed": FLAG, "IsWon": FLAG},
        **{"IsDeleted": FLAG, **_STAMPS},
    },
    "OpportunityHistory": {
        **dict.fromkeys(("Id", "OpportunityId", "StageName", "CreatedById"), TEXT),
        **{"Amount": NUMBER, "Probability": NUMBER, "CloseDate": DAY},
        **{"IsDeleted": FLAG, "CreatedDate": MOMENT, "SystemModstamp": MOMENT},
    },
}
READ_ONLY = frozenset({"Id", "IsDeleted", "MasterRecordId", "IsConverted", *_STAMPS})
CHANGED_BY_API = ("Account", "Contact", "Lead", "Opportunity")


def find_object(name: str) -> str | None:
    """An object's name as the vendor spells it, whatever the case asked in."""
    return next((known for known in OBJECTS if known.lower() == name.lower()), None)


def find_field(kind: str, name: str) -> str | None:
    return next((known for known in OBJECTS[kind] if known.lower() == name.lower()), None)


def _write_json_moment(value: Any) -> Any:
    return f"{write_seconds(value)[:19]}.000+0000" if isinstance(value, int) else value


def _write_csv_text(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if kind == FLAG:
        return "true" if value else "false"
    if kind == MOMENT and isinstance(value, int):
        return f"{write_seconds(value)[:19]}.000Z"
    return str(value)


def write_json_record(kind: str, names: tuple[str, ...], state: dict[str, Any], version: str) -> dict[str, Any]:
    """A record as the REST API tells it."""
    address = f"/services/data/{version}/sobjects/{kind}/{state.get('Id')}"
    record: dict[str, Any] = {"attributes": {"type": kind, "url": address}}
    for name in names:
        value = state.get(name)
        record[name] = _write_json_moment(value) if OBJECTS[kind][name] == MOMENT else value
    return record


def write_csv_record(kind: str, names: tuple[str, ...], state: dict[str, Any]) -> list[str]:
    """A record as a line of a bulk result."""
    return [_write_csv_text(OBJECTS[kind][name], state.get(name)) for name in names]


def _lose_id(state: dict[str, Any]) -> None:
    state["Id"] = None


def _spoil_date(state: dict[str, Any]) -> None:
    state["LastModifiedDate"] = state["SystemModstamp"] = "2026-02-30T99:99:99.000Z"


def _spoil_email(state: dict[str, Any]) -> None:
    state["Email"] = "not an address"


SPOILED: dict[str, Callable[[dict[str, Any]], None]] = {
    "missing_key": _lose_id,
    "unparsable_date": _spoil_date,
    "bad_email": _spoil_email,
}
