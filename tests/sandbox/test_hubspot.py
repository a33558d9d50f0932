"""HubSpot's own SDK against the sandbox, with the truth as the judge."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.communication_preferences import PublicUpdateSubscriptionStatusRequest
from hubspot.communication_preferences.exceptions import ApiException as PreferencesException
from hubspot.crm.contacts import (
    BatchReadInputSimplePublicObjectId,
    PublicGdprDeleteInput,
    PublicObjectSearchRequest,
    SimplePublicObjectId,
    SimplePublicObjectInput,
)
from hubspot.crm.contacts.exceptions import ApiException
from urllib3.util.retry import Retry

LIST_PATH = "/hubspot/crm/v3/objects/contacts"
PREFERENCES = "/hubspot/communication-preferences/v4"
TOKEN = {"Authorization": "Bearer pat-sandbox"}


def connect(sandbox: Any, token: str = "pat-sandbox", **options: Any) -> HubSpot:
    return HubSpot(access_token=token, host=f"{sandbox.root}/hubspot", **options)


def living(sandbox: Any) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in sandbox.get("/truth/contacts") if not one["archived"]}


def test_the_list_pages_to_the_end_and_misses_nobody(sandbox: Any) -> None:
    contacts = connect(sandbox).crm.contacts.get_all(properties=["email", "lastmodifieddate"])
    truth = living(sandbox)
    assert {one.id: one.properties["email"] for one in contacts} == {key: one["email"] for key, one in truth.items()}
    assert len(contacts) == len(truth) > 200


def test_archived_contacts_come_only_when_asked_for(sandbox: Any) -> None:
    archived = connect(sandbox).crm.contacts.get_all(archived=True)
    assert {one.id for one in archived} == {one["id"] for one in sandbox.get("/truth/contacts") if one["archived"]}
    assert all(one.archived and one.archived_at for one in archived)


def test_a_retry_passes_through_a_429(sandbox: Any) -> None:
    sandbox.break_with("throttle", vendor="hubspot", count=2, skip=1, retry_after=0)
    patient = connect(sandbox, retry=Retry(total=3, status_forcelist=(429,)))
    assert len(patient.crm.contacts.get_all()) == len(living(sandbox))


def test_a_wrong_token_is_a_401_in_hubspots_words(sandbox: Any) -> None:
    with pytest.raises(ApiException) as caught:
        connect(sandbox, token="wrong").crm.contacts.basic_api.get_page()
    assert caught.value.status == 401
    assert "INVALID_AUTHENTICATION" in caught.value.body


def test_190_calls_in_ten_seconds_are_allowed_and_no_more(sandbox: Any, enable_limits: Any) -> None:
    enable_limits("hubspot")
    with requests.Session() as session:
        answers = [session.get(sandbox.root + LIST_PATH, params={"limit": 1}, headers=TOKEN) for _ in range(191)]
    assert [answer.status_code for answer in answers[:190]] == [200] * 190
    assert answers[0].headers["X-HubSpot-RateLimit-Remaining"] == "189"
    assert answers[190].status_code == 429
    assert answers[190].json()["policyName"] == "TEN_SECONDLY_ROLLING"


def test_five_searches_a_second_are_allowed_and_no_more(sandbox: Any, enable_limits: Any) -> None:
    # The calls of another test's window may still count: a search that comes too early is told so at once.
    enable_limits("hubspot")
    answers = [requests.post(f"{sandbox.root}{LIST_PATH}/search", json={}, headers=TOKEN) for _ in range(12)]
    refused = [answer.json()["policyName"] for answer in answers if answer.status_code == 429]
    assert refused
    assert set(refused) <= {"SECONDLY", "TEN_SECONDLY_ROLLING"}


def search(sandbox: Any, **request: Any) -> Any:
    return connect(sandbox).crm.contacts.search_api.do_search(PublicObjectSearchRequest(**request))


def test_a_search_finds_what_was_changed_since_sorted_and_paged(sandbox: Any) -> None:
    everybody = connect(sandbox).crm.contacts.get_all(properties=["lastmodifieddate"])
    changed = sorted(one.properties["lastmodifieddate"] for one in everybody)
    middle = changed[len(changed) // 2]
    since = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": middle}
    found: list[str] = []
    after = None
    while True:
        page = search(
            sandbox,
            filter_groups=[{"filters": [since]}],
            sorts=[{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
            properties=["lastmodifieddate"],
            limit=50,
            after=after,
        )
        found += [one.properties["lastmodifieddate"] for one in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert found == [moment for moment in changed if moment >= middle]
    assert page.total == len(found)


@pytest.mark.parametrize(
    ("operator", "values", "keep"),
    [
        ("EQ", {"value": "customer"}, lambda stage: stage == "customer"),
        ("NEQ", {"value": "customer"}, lambda stage: stage != "customer"),
        ("IN", {"values": ["lead", "subscriber"]}, lambda stage: stage in ("lead", "subscriber")),
        ("NOT_IN", {"values": ["lead"]}, lambda stage: stage != "lead"),
        ("HAS_PROPERTY", {}, lambda stage: True),
        ("NOT_HAS_PROPERTY", {}, lambda stage: False),
    ],
)
def test_operators_select_as_their_names_say(sandbox: Any, operator: str, values: Any, keep: Any) -> None:
    one = {"propertyName": "lifecyclestage", "operator": operator, **values}
    everybody = connect(sandbox).crm.contacts.get_all(properties=["lifecyclestage"])
    expected = sum(keep(contact.properties["lifecyclestage"]) for contact in everybody)
    assert search(sandbox, filter_groups=[{"filters": [one]}]).total == expected


def test_within_one_timestamp_contacts_can_be_walked_by_their_id(sandbox: Any) -> None:
    everybody = connect(sandbox).crm.contacts.get_all(properties=["lastmodifieddate"])
    moments = [one.properties["lastmodifieddate"] for one in everybody]
    imported = max(set(moments), key=moments.count)
    assert moments.count(imported) > 20
    ids = sorted(int(one.id) for one in everybody if one.properties["lastmodifieddate"] == imported)
    filters = [
        {"propertyName": "lastmodifieddate", "operator": "EQ", "value": imported},
        {"propertyName": "hs_object_id", "operator": "GT", "value": str(ids[9])},
    ]
    sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    page = search(sandbox, filter_groups=[{"filters": filters}], sorts=sorts, limit=200)
    assert [int(one.id) for one in page.results] == ids[10:]


@pytest.mark.parametrize(
    "request_",
    [
        {"after": "9990", "limit": 20},
        {"limit": 201},
        {"after": "NTI1"},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "a"}]}]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE"}]}]},
    ],
    ids=["beyond 10,000 results", "page too long", "cursor", "operator", "groups", "no value"],
)
def test_a_search_that_hubspot_would_refuse_is_refused(sandbox: Any, request_: dict[str, Any]) -> None:
    answer = requests.post(f"{sandbox.root}{LIST_PATH}/search", json=request_, headers=TOKEN)
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"


def test_a_lagging_search_does_not_find_the_newest_changes(sandbox: Any) -> None:
    total = search(sandbox).total
    sandbox.break_with("search_lag", seconds=30 * 86_400)
    assert search(sandbox).total < total


def test_a_batch_with_a_missing_id_is_a_207(sandbox: Any) -> None:
    known = next(iter(living(sandbox)))
    wanted = BatchReadInputSimplePublicObjectId(
        properties=["email"],
        properties_with_history=[],
        inputs=[SimplePublicObjectId(id=known), SimplePublicObjectId(id="999999")],
    )
    answer = connect(sandbox).crm.contacts.batch_api.read_with_http_info(wanted)
    assert answer.status == 207 if hasattr(answer, "status") else answer[1] == 207


def test_consents_are_read_and_changed_by_address(sandbox: Any) -> None:
    emails = [one["email"] for one in living(sandbox).values() if one["email"] and "@example" in one["email"]][:100]
    answer = requests.post(
        f"{sandbox.root}{PREFERENCES}/statuses/batch/read?channel=EMAIL", json={"inputs": emails}, headers=TOKEN
    ).json()
    assert [row["subscriberIdString"] for row in answer["results"]] == emails
    statuses = [row["statuses"][0]["status"] for row in answer["results"]]
    assert {"SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"} == set(statuses)

    subscriber = emails[statuses.index("SUBSCRIBED")]
    url = f"{sandbox.root}{PREFERENCES}/statuses/{subscriber}"
    change = {"channel": "EMAIL", "statusState": "UNSUBSCRIBED", "subscriptionId": 441}
    requests.post(url, json=change, headers=TOKEN).raise_for_status()
    after = requests.get(f"{url}?channel=EMAIL", headers=TOKEN).json()["results"][0]
    assert (after["status"], after["source"], after["timestamp"]) == (
        "UNSUBSCRIBED",
        "PUBLIC_API",
        "2026-03-02T00:00:00Z",
    )
    requests.post(f"{url}/unsubscribe-all?channel=EMAIL", headers=TOKEN).raise_for_status()
    both = requests.get(f"{url}?channel=EMAIL", headers=TOKEN).json()["results"]
    assert [row["status"] for row in both] == ["UNSUBSCRIBED", "UNSUBSCRIBED"]


def test_the_sdk_subscribes_and_unsubscribes(sandbox: Any) -> None:
    api = connect(sandbox).communication_preferences
    email = next(one["email"] for one in living(sandbox).values() if one["email"])
    change = PublicUpdateSubscriptionStatusRequest(email_address=email, subscription_id="442")
    assert api.status_api.subscribe(change).status == "SUBSCRIBED"
    assert api.status_api.unsubscribe(change).status == "NOT_SUBSCRIBED"
    assert len(api.definition_api.get_page().subscription_definitions) == 2
    with pytest.raises(PreferencesException, match="does not exist"):
        api.status_api.subscribe(PublicUpdateSubscriptionStatusRequest(email_address=email, subscription_id="1"))


def test_a_contact_is_changed_by_its_id_and_found_by_its_new_date(start_sandbox: Any, tmp_path: Any) -> None:
    sandbox = start_sandbox(tmp_path, people=30)
    client = connect(sandbox)
    one = next(one for one in client.crm.contacts.get_all(properties=["phone"]) if one.properties["phone"])
    answer = client.crm.contacts.basic_api.update(
        one.id, SimplePublicObjectInput(properties={"deceased": "true", "phone": ""})
    )
    assert answer.properties["lastmodifieddate"] > one.properties["lastmodifieddate"]
    since = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": answer.properties["lastmodifieddate"]}
    page = search(sandbox, filter_groups=[{"filters": [since]}], properties=["deceased", "phone"])
    found = {each.id: each.properties for each in page.results}[one.id]
    assert (found["deceased"], found["phone"]) == ("true", None)
    # What somebody did by the API is not made again from the seed.
    sandbox.stop()
    again = connect(start_sandbox(tmp_path, people=30)).crm.contacts.basic_api.get_by_id(
        one.id, properties=["deceased"]
    )
    assert again.properties["deceased"] == "true"


@pytest.mark.parametrize(
    "properties",
    [{}, {"nonsense": "1"}, {"lastmodifieddate": "2026-03-02T00:00:00Z"}, {"phone": 5}],
    ids=["nothing", "unknown", "read only", "no text"],
)
def test_a_change_that_hubspot_would_refuse_is_refused(sandbox: Any, properties: dict[str, Any]) -> None:
    known = next(iter(living(sandbox)))
    answer = requests.patch(f"{sandbox.root}{LIST_PATH}/{known}", json={"properties": properties}, headers=TOKEN)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    unknown = requests.patch(f"{sandbox.root}{LIST_PATH}/999999", json={"properties": {"phone": "1"}}, headers=TOKEN)
    assert unknown.status_code == 404


def test_a_gdpr_deletion_leaves_a_contact_in_no_list_and_its_id_unknown(sandbox: Any) -> None:
    client = connect(sandbox)
    gone, other = client.crm.contacts.get_all(properties=["email"])[:2]
    client.crm.contacts.basic_api.purge(PublicGdprDeleteInput(object_id=gone.id))
    for archived in (False, True):
        assert gone.id not in {one.id for one in client.crm.contacts.get_all(archived=archived)}
    found = client.crm.contacts.batch_api.read(
        BatchReadInputSimplePublicObjectId(
            inputs=[SimplePublicObjectId(id=gone.id), SimplePublicObjectId(id=other.id)],
            properties=["email"],
            properties_with_history=[],
        )
    )
    assert [one.id for one in found.results] == [other.id]
    with pytest.raises(ApiException) as caught:
        client.crm.contacts.basic_api.purge(PublicGdprDeleteInput(object_id=gone.id))
    assert caught.value.status == 404


def test_a_gdpr_deletion_by_address_finds_the_contact_and_blocks_an_unknown_address(sandbox: Any) -> None:
    client = connect(sandbox)
    gone = next(one for one in reversed(client.crm.contacts.get_all(properties=["email"])) if one.properties["email"])
    by_address = PublicGdprDeleteInput(object_id=gone.properties["email"], id_property="email")
    client.crm.contacts.basic_api.purge(by_address)
    assert gone.id not in {one.id for one in client.crm.contacts.get_all()}
    client.crm.contacts.basic_api.purge(by_address)
