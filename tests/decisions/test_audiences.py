"""The audiences' own unit tests, run by dbt."""

from __future__ import annotations

import json

from tests.decisions.company import NIGHT, Company


def test_audiences_take_in_whom_they_should_and_no_near_miss(company: Company) -> None:
    pin = {"run_id": "test", "sequence": 1, "cadence": "nightly", "as_of": NIGHT.isoformat(), "known_at": {}}
    outcome = company.project.run(
        ["test", "--select", "path:models/campaigns,test_type:unit"], {"SAFAR_PIN": json.dumps(pin)}
    )
    assert {result.node.name for result in outcome.result.results} == {
        "open_carts_of_known_people_and_nothing_else",
        "a_silence_is_named_after_the_last_order_before_it",
        "a_loyal_person_is_thanked_for_the_first_time",
    }
