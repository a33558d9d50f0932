"""A public Salesforce client against the sandbox, with the truth as the judge."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

DATA = "/salesforce/services/data/v66.0"
KEYS = {"consumer_key": "salesforce-sandbox", "consumer_secret": "salesforce-secret"}
FIELDS = "Id, Email, Status, OwnerId, Description, IsConverted, ConvertedContactId, MasterRecordId, SystemModstamp"


class ToSandbox(HTTPAdapter):
    """The client always speaks https to a host of Salesforce; here it is led to the sandbox."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        target = urlsplit(request.url or "")
        path = target.path[target.path.index("/services/") :]
        request.url = f"{self._root}/salesforce{path}?{target.query}"
        return super().send(request, *args, **options)


def connect(sandbox: Any, **login: Any) -> Salesforce:
    session = requests.Session()
    session.mount("https://", ToSandbox(sandbox.root))
    return Salesforce(**(login or KEYS), domain="safar", session=session, version="66.0")


def tell(sandbox: Any, kind: str = "Lead") -> dict[str, dict[str, Any]]:
    return {one["Id"]: one for one in sandbox.get(f"/truth/salesforce/{kind}")}


def ask(client: Salesforce, soql: str, **options: Any) -> list[dict[str, Any]]:
    return [dict(record) for record in client.query_all_iter(soql, **options)]


def pick(record: dict[str, Any], names: str = FIELDS) -> dict[str, Any]:
    return {name: record[name] for name in names.split(", ")}


def test_a_query_pages_to_the_end_and_tells_what_is_true(sandbox: Any) -> None:
    client = connect(sandbox)
    small = {"Sforce-Query-Options": "batchSize=1"}
    leads = ask(client, f"SELECT {FIELDS} FROM Lead ORDER BY SystemModstamp, Id", headers=small)
    living = {key: one for key, one in tell(sandbox).items() if not one["IsDeleted"]}
    assert {one["Id"]: pick(one) for one in leads} == {key: pick(one) for key, one in living.items()}
    assert [one["SystemModstamp"] for one in leads] == sorted(one["SystemModstamp"] for one in leads)
    assert len(leads) > 50


def test_pages_have_200_to_2000_records_and_the_last_one_says_so(start_sandbox: Any, tmp_path: Any) -> None:
    sandbox = start_sandbox(tmp_path, people=1500)
    client = connect(sandbox)
    page = client.query("SELECT Id FROM Lead", headers={"Sforce-Query-Options": "batchSize=1"})
    assert (len(page["records"]), page["done"]) == (200, False)
    found = [record["Id"] for record in page["records"]]
    while not page["done"]:
        page = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        found += [record["Id"] for record in page["records"]]
    assert len(found) == len(set(found)) == page["totalSize"] > 200


def test_deleted_and_merged_records_come_by_query_all_alone(sandbox: Any) -> None:
    client = connect(sandbox)
    truth = tell(sandbox)
    everybody = ask(client, "SELECT Id, IsDeleted, MasterRecordId FROM Lead", include_deleted=True)
    assert {one["Id"] for one in everybody} == truth.keys()
    gone = {one["Id"]: one["MasterRecordId"] for one in everybody if one["IsDeleted"]}
    assert gone == {key: one["MasterRecordId"] for key, one in truth.items() if one["IsDeleted"]}
    assert {one["Id"] for one in ask(client, "SELECT Id FROM Lead")} == truth.keys() - gone.keys()


def test_a_merged_lead_names_the_one_that_is_left_and_both_changed_in_one_second(
    start_sandbox: Any, tmp_path: Any
) -> None:
    sandbox = start_sandbox(tmp_path, people=3000)
    truth = tell(sandbox)
    merged = [one for one in truth.values() if one["MasterRecordId"]]
    assert merged
    for one in merged:
        master = truth[one["MasterRecordId"]]
        assert one["person_id"] == master["person_id"]
        assert one["IsDeleted"]
        assert master["SystemModstamp"] >= one["SystemModstamp"]
    converted = [one for one in truth.values() if one["IsConverted"] and not one["IsDeleted"]]
    contacts, accounts, deals = (tell(sandbox, kind) for kind in ("Contact", "Account", "Opportunity"))
    assert converted
    for one in converted:
        assert contacts[one["ConvertedContactId"]]["person_id"] == one["person_id"]
        assert one["ConvertedAccountId"] in accounts
        assert one["ConvertedOpportunityId"] in {None, *deals}
    steps = tell(sandbox, "OpportunityHistory").values()
    assert {one["OpportunityId"] for one in steps} == deals.keys()
    for deal in deals.values():
        last = max((one for one in steps if one["OpportunityId"] == deal["Id"]), key=lambda one: one["CreatedDate"])
        assert pick(last, "StageName, Amount") == pick(deal, "StageName, Amount")


def read_csv(pages: list[str]) -> list[dict[str, str]]:
    return [row for page in pages for row in csv.DictReader(io.StringIO(page))]


def test_a_bulk_job_tells_the_same_in_pages_of_csv(sandbox: Any) -> None:
    client = connect(sandbox)
    pages = list(client.bulk2.Lead.query_all(f"SELECT {FIELDS} FROM Lead", max_records=30))
    rows, truth = read_csv(pages), tell(sandbox)
    assert len(pages) == -(-len(truth) // 30)
    assert {row["Id"] for row in rows} == truth.keys()
    for row in rows:
        one = truth[row["Id"]]
        assert row["Description"] == (one["Description"] or "")
        assert row["IsConverted"] == str(one["IsConverted"]).lower()
        assert row["SystemModstamp"] == one["SystemModstamp"].replace("+0000", "Z")
    assert any("\n" in row["Description"] and '"' in row["Description"] for row in rows)
    living = read_csv(list(client.bulk2.Lead.query("SELECT Id FROM Lead")))
    assert {row["Id"] for row in living} == {key for key, one in truth.items() if not one["IsDeleted"]}


def test_a_bulk_job_without_records_still_has_its_header(sandbox: Any) -> None:
    pages = list(connect(sandbox).bulk2.Lead.query("SELECT Id, Email FROM Lead WHERE Email = 'nobody@example.com'"))
    assert pages == ['"Id","Email"\n']


@pytest.mark.parametrize(
    ("condition", "keep"),
    [
        ("SystemModstamp >= {middle}", lambda one, middle: one["SystemModstamp"] >= middle),
        ("SystemModstamp < {middle}", lambda one, middle: one["SystemModstamp"] < middle),
        ("SystemModstamp = {middle}", lambda one, middle: one["SystemModstamp"] == middle),
        ("IsConverted = TRUE", lambda one, middle: one["IsConverted"]),
        ("Email = NULL", lambda one, middle: one["Email"] is None),
        ("Email != null", lambda one, middle: one["Email"] is not None),
        ("LastName = 'O\\'Neil'", lambda one, middle: one["LastName"] == "O'Neil"),
        ("ConvertedDate >= 2025-06-01", lambda one, middle: (one["ConvertedDate"] or "") >= "2025-06-01"),
        ("Status IN ('Working - Contacted')", lambda one, middle: one["Status"] == "Working - Contacted"),
        (
            "IsConverted = false AND Email != null",
            lambda one, middle: not one["IsConverted"] and one["Email"] is not None,
        ),
    ],
)
def test_conditions_select_as_they_say(sandbox: Any, condition: str, keep: Callable[..., bool]) -> None:
    living = [one for one in tell(sandbox).values() if not one["IsDeleted"]]
    moments = sorted(one["SystemModstamp"] for one in living)
    middle = moments[len(moments) // 2]
    soql = f"select Id from lead where {condition.format(middle=middle.replace('+0000', 'Z'))} order by Id desc"
    found = [one["Id"] for one in ask(connect(sandbox), soql)]
    assert found == sorted((one["Id"] for one in living if keep(one, middle)), reverse=True)
    assert len(ask(connect(sandbox), soql + " limit 1")) == min(1, len(found))


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Nothing FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Id = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE SystemModstamp >= 'yesterday'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead GROUP BY Id", "MALFORMED_QUERY"),
        ("SELECT Id Email FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id LIKE 'a'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead ; DROP", "MALFORMED_QUERY"),
    ],
)
def test_a_query_that_salesforce_would_refuse_is_refused(sandbox: Any, soql: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        connect(sandbox).query(soql)
    assert caught.value.content[0]["errorCode"] == code
    with pytest.raises(SalesforceMalformedRequest):
        list(connect(sandbox).bulk2.Lead.query(soql))


def write_key() -> tuple[str, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public


def test_a_signed_assertion_of_the_known_key_is_taken_and_no_other(sandbox: Any) -> None:
    private, public = write_key()
    requests.put(f"{sandbox.root}/salesforce/setup/certificate", data=public).raise_for_status()
    one = {"username": "integration@safar.example", "consumer_key": "salesforce-sandbox"}
    session = requests.Session()
    session.mount("https://", ToSandbox(sandbox.root))
    client = Salesforce(**one, privatekey=private, session=session, version="66.0")
    assert client.query("SELECT Id FROM User")["totalSize"] == 4
    for wrong in ({"privatekey": write_key()[0]}, {"username": "other"}, {"consumer_key": "other"}):
        with pytest.raises(SalesforceAuthenticationFailed):
            Salesforce(**{**one, "privatekey": private, **wrong}, session=session)
    with pytest.raises(SalesforceAuthenticationFailed):
        Salesforce(**one, privatekey=private, domain="elsewhere", session=session)


def test_a_wrong_secret_and_a_token_that_ran_out_are_told_in_salesforces_words(sandbox: Any) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        connect(sandbox, **{**KEYS, "consumer_secret": "wrong"})
    answer = requests.get(f"{sandbox.root}{DATA}/query", params={"q": "SELECT Id FROM Lead"})
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    client = connect(sandbox)
    client.headers["Authorization"] = "Bearer wrong"
    client._salesforce_login_partial = None
    with pytest.raises((SalesforceExpiredSession, RuntimeError)):
        client.query("SELECT Id FROM Lead")


def test_calls_are_counted_and_the_daily_limit_refuses(sandbox: Any) -> None:
    client = connect(sandbox)
    client.query("SELECT Id FROM User")
    used = client.api_usage["api-usage"]
    assert used.total == 100_000
    client.query("SELECT Id FROM User")
    assert client.api_usage["api-usage"].used == used.used + 1
    sandbox.break_with("quota_used_up", vendor="salesforce")
    with pytest.raises(SalesforceRefusedRequest) as caught:
        client.query("SELECT Id FROM User")
    assert caught.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_few_open_queries_are_kept(start_sandbox: Any, tmp_path: Any) -> None:
    client = connect(start_sandbox(tmp_path, people=1500))
    small = {"Sforce-Query-Options": "batchSize=200"}
    pages = [client.query("SELECT Id FROM Lead", headers=small) for _ in range(11)]
    client.query_more(pages[1]["nextRecordsUrl"], identifier_is_url=True)
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client.query_more(pages[0]["nextRecordsUrl"], identifier_is_url=True)
    assert caught.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def start_job(sandbox: Any, client: Salesforce) -> str:
    job = {"operation": "query", "query": "SELECT Id FROM Lead"}
    answer = requests.post(f"{sandbox.root}{DATA}/jobs/query", json=job, headers=client.headers)
    assert answer.json()["state"] == "UploadComplete"
    return f"{DATA}/jobs/query/{answer.json()['id']}"


def test_a_job_goes_through_its_states_and_its_results_are_of_its_version(sandbox: Any) -> None:
    client = connect(sandbox)
    path = start_job(sandbox, client)
    states = [sandbox.get(path, headers=client.headers)["state"] for _ in range(4)]
    assert states == ["UploadComplete", "InProgress", "JobComplete", "JobComplete"]
    done = sandbox.get(path, headers=client.headers)
    assert done["numberRecordsProcessed"] == len([one for one in tell(sandbox).values() if not one["IsDeleted"]])
    other = requests.get(f"{sandbox.root}{path.replace('v66', 'v65')}/results", headers=client.headers)
    assert other.status_code == 409
    assert requests.delete(sandbox.root + path, headers=client.headers).status_code == 204
    assert requests.get(sandbox.root + path, headers=client.headers).status_code == 404


def test_a_job_may_be_aborted_or_fail_and_then_has_no_results(sandbox: Any) -> None:
    client = connect(sandbox)
    path = start_job(sandbox, client)
    early = requests.get(f"{sandbox.root}{path}/results", headers=client.headers)
    assert (early.status_code, early.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    aborted = requests.patch(sandbox.root + path, json={"state": "Aborted"}, headers=client.headers)
    assert aborted.json()["state"] == "Aborted"
    sandbox.break_with("job_failed", vendor="salesforce", path="/jobs/query/Lead")
    job = {"operation": "query", "query": "SELECT Id FROM Lead"}
    failed = requests.post(f"{sandbox.root}{DATA}/jobs/query", json=job, headers=client.headers).json()
    assert (failed["state"], failed["errorMessage"]) == ("Failed", "ApiBatchItems Failed: QUERY_TIMEOUT")


def test_a_record_is_changed_and_deleted_by_its_id_also_after_a_restart(start_sandbox: Any, tmp_path: Any) -> None:
    sandbox = start_sandbox(tmp_path, people=120)
    client = connect(sandbox)
    one, other, third = (key for key, lead in list(tell(sandbox).items())[:3] if not lead["IsDeleted"])
    client.Lead.update(one, {"Phone": "+49 555 0199 000001"})
    client.Lead.delete(other)
    with pytest.raises(SalesforceResourceNotFound):
        client.Lead.delete(other)
    url = f"{sandbox.root}{DATA}/composite/sobjects"
    answer = requests.delete(url, params={"ids": f"{third},{other},00Qnone"}, headers=client.headers)
    told = [(one["success"], [error["statusCode"] for error in one["errors"]]) for one in answer.json()]
    assert told == [(True, []), (False, ["ENTITY_IS_DELETED"]), (False, ["INVALID_CROSS_REFERENCE_KEY"])]
    sandbox.stop()
    truth = tell(start_sandbox(tmp_path, people=120))
    assert truth[one]["Phone"] == "+49 555 0199 000001"
    assert truth[one]["SystemModstamp"] == "2026-03-02T00:00:00.000+0000"
    assert (truth[other]["IsDeleted"], truth[third]["IsDeleted"]) == (True, True)


@pytest.mark.parametrize("field", ["Nothing", "SystemModstamp", "IsDeleted"])
def test_a_change_that_salesforce_would_refuse_is_refused(sandbox: Any, field: str) -> None:
    key = next(key for key, one in tell(sandbox).items() if not one["IsDeleted"])
    with pytest.raises(SalesforceMalformedRequest):
        connect(sandbox).Lead.update(key, {field: "x"})


def test_records_change_as_days_go_by_and_leave_the_bin_after_15_days(start_sandbox: Any, tmp_path: Any) -> None:
    sandbox = start_sandbox(tmp_path, people=2000)
    before = {kind: tell(sandbox, kind) for kind in ("Lead", "Contact", "Account")}
    sandbox.move_clock("2026-03-09T00:00:00Z")
    for kind, earlier in before.items():
        now = tell(sandbox, kind)
        changed = [key for key in now.keys() & earlier.keys() if now[key] != earlier[key]]
        assert changed, kind
        assert all(now[key]["SystemModstamp"] > "2026-03-02T00:00:00" for key in changed)
        assert all(now[key]["CreatedDate"] == earlier[key]["CreatedDate"] for key in now.keys() & earlier.keys())
    moments = [one["SystemModstamp"] for one in tell(sandbox).values() if one["SystemModstamp"] > "2026-03-02T00:00:00"]
    flood = max(set(moments), key=moments.count)
    assert (flood, moments.count(flood) > 20) == ("2026-03-08T22:00:00.000+0000", True)
    sandbox.move_clock("2026-03-26T00:00:00Z")
    after = tell(sandbox)
    gone = {key for key, one in before["Lead"].items() if one["IsDeleted"]}
    assert gone
    assert not gone & {key for key, one in after.items() if one["IsDeleted"]}


def test_faults_spoil_a_page_and_a_result_alike(sandbox: Any) -> None:
    client = connect(sandbox)
    sandbox.break_with("missing_key", vendor="salesforce", path="/query/Lead$", count=2)
    assert client.query("SELECT Id FROM Lead")["records"][0]["Id"] is None
    assert next(iter(read_csv(list(client.bulk2.Lead.query("SELECT Id FROM Lead")))))["Id"] == ""
    sandbox.break_with("query_forgotten", vendor="salesforce")
    sandbox.break_with("throttle", vendor="salesforce", retry_after=1)
    answer = requests.get(f"{sandbox.root}{DATA}/limits", headers=client.headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
