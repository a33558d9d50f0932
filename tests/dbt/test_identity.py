"""Who is one human: by address and by merge, as far as the chain goes, or a red test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

CREATED = datetime(2025, 1, 1, tzinfo=UTC)
AS_OF = datetime(2026, 1, 11, 23, tzinfo=UTC)
IDENTITY = ["+int_contact_records", "identity_has_converged"]


def link(first: int, last: int) -> list[dict[str, Any]]:
    """CRM contacts of which each was merged with the one before: a chain of people who are one."""
    return [
        {
            "id": str(number),
            "created_at": CREATED + timedelta(days=number),
            "updated_at": CREATED,
            "properties__hs_merged_object_ids": str(number - 1) if number > first else None,
        }
        for number in range(first, last + 1)
    ]


def build(warehouse: Any, **variables: Any) -> dict[str, str]:
    command = ["build", "--exclude-resource-type", "unit_test", "--select", *IDENTITY]
    outcome: dict[str, str] = warehouse.run(command, AS_OF, variables=variables)
    return outcome


def count_people(warehouse: Any) -> int:
    rows = warehouse.query("select count(distinct contact_id) as people from nightly_intermediate.int_contact_records")
    return int(rows[0]["people"])


def test_a_chain_is_one_person_as_far_as_the_rounds_reach_and_red_beyond(warehouse: Any) -> None:
    warehouse.land("raw_hubspot.contacts", link(1, 7))
    assert build(warehouse)["identity_has_converged"] == "pass"
    assert count_people(warehouse) == 1
    warehouse.land("raw_hubspot.contacts", link(101, 112))
    assert build(warehouse)["identity_has_converged"].startswith("fail")
    assert build(warehouse, identity_rounds=12)["identity_has_converged"] == "pass"
    assert count_people(warehouse) == 2


def test_people_without_an_address_and_with_a_broken_one_stay_apart(warehouse: Any) -> None:
    warehouse.empty()
    addresses = [None, "", "  ", "n/a", "@example.com", "anna@", "anna@example", None]
    warehouse.land(
        "raw_hubspot.contacts",
        [
            {"id": str(number), "properties__email": address, "created_at": CREATED}
            for number, address in enumerate(addresses)
        ],
    )
    warehouse.land(
        "raw_shopify.customers",
        [{"id": str(number), "email": address, "created_at": CREATED} for number, address in enumerate(addresses)],
    )
    assert build(warehouse)["identity_has_converged"] == "pass"
    assert count_people(warehouse) == 2 * len(addresses)


def test_the_name_of_a_person_outlives_a_merge_and_a_younger_record(warehouse: Any) -> None:
    warehouse.empty()
    warehouse.land("raw_hubspot.contacts", [{"id": "1", "created_at": CREATED, "properties__email": "Ü@Example.com "}])
    build(warehouse)
    before = warehouse.query("select contact_id from nightly_intermediate.int_contact_records")
    younger = {"created_at": CREATED + timedelta(days=1), "email": "ü@example.com"}
    warehouse.land("raw_shopify.customers", [{"id": "s", **younger}])
    warehouse.land(
        "raw_hubspot.contacts",
        [
            {
                "id": "2",
                "created_at": CREATED + timedelta(days=2),
                "properties__email": "other@example.com",
                "properties__hs_merged_object_ids": "1",
            }
        ],
    )
    build(warehouse)
    after = warehouse.query("select distinct contact_id from nightly_intermediate.int_contact_records")
    assert after == before
