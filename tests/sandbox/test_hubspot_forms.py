"""HubSpot's own SDK reads forms; what was sent by them is read page by page, with the truth as the judge."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from hubspot import HubSpot

TOKEN = {"Authorization": "Bearer pat-sandbox"}


def connect(sandbox: Any) -> HubSpot:
    return HubSpot(access_token="pat-sandbox", host=f"{sandbox.root}/hubspot")


def read_sent(sandbox: Any, form: str, limit: int = 50) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    url = f"{sandbox.root}/hubspot/form-integrations/v1/submissions/forms/{form}"
    while True:
        # The SDK has no call for it.
        answer = requests.get(url, params={"limit": limit, **after}, headers=TOKEN, timeout=10).json()
        found += answer["results"]
        if "paging" not in answer:
            return found
        after = {"after": answer["paging"]["next"]["after"]}


def test_the_forms_and_all_that_was_sent_by_them_newest_first(sandbox: Any) -> None:
    forms = connect(sandbox).marketing.forms.forms_api.get_page().results
    truth = sandbox.get("/truth/submissions")
    assert {one.id for one in forms} >= {one["form_id"] for one in truth}
    for form in forms:
        sent = read_sent(sandbox, form.id)
        moments = [one["submittedAt"] for one in sent]
        assert moments == sorted(moments, reverse=True)
        told = {(one["conversionId"], one["submittedAt"], read_value(one, "email")) for one in sent}
        assert told == {(one["id"], one["at_ms"], one["values"]["email"]) for one in truth if one["form_id"] == form.id}
        assert len(sent) == len(told)
    assert len(truth) > 40


def read_value(sent: dict[str, Any], name: str) -> str | None:
    return next((one["value"] for one in sent["values"] if one["name"] == name), None)


@pytest.mark.parametrize(("path", "status"), [("?limit=51", 400), ("", 200)])
def test_a_page_holds_fifty_submissions_at_most(sandbox: Any, path: str, status: int) -> None:
    form = sandbox.get("/truth/submissions")[0]["form_id"]
    url = f"{sandbox.root}/hubspot/form-integrations/v1/submissions/forms/{form}{path}"
    assert requests.get(url, headers=TOKEN, timeout=10).status_code == status


def test_an_unknown_form_is_a_404(sandbox: Any) -> None:
    url = f"{sandbox.root}/hubspot/form-integrations/v1/submissions/forms/none"
    assert requests.get(url, headers=TOKEN, timeout=10).status_code == 404


def test_a_gdpr_deletion_takes_what_the_person_sent_with_it(start_sandbox: Any, tmp_path: Any) -> None:
    sandbox = start_sandbox(tmp_path, people=60)
    people = {one["person_id"]: one["id"] for one in sandbox.get("/truth/contacts") if not one["archived"]}
    one = next(one for one in sandbox.get("/truth/submissions") if one["person_id"] in people)
    requests.post(
        f"{sandbox.root}/hubspot/crm/v3/objects/contacts/gdpr-delete",
        json={"objectId": people[one["person_id"]]},
        headers=TOKEN,
        timeout=10,
    ).raise_for_status()
    assert one["id"] not in {sent["conversionId"] for sent in read_sent(sandbox, one["form_id"])}
