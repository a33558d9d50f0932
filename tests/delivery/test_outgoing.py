"""For every expectation of expectations/outgoing a fault is planted that it must catch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tests.delivery.conftest import KEY, NOON, Company, OpenWorkspace, describe_sendgrid, plan

from safar.delivery.addresses import hash_address
from safar.delivery.outgoing import check_outgoing
from safar.quality import CheckFailed
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

SUITES = PROJECT_ROOT / "expectations" / "outgoing"
CART = {
    "campaign": "cart_abandonment",
    "template": "cart_reminder",
    "fields": {
        "first_name": "Anna",
        "first_item_title": "Lamp",
        "currency": "EUR",
        "recovery_url": "https://x.example/c",
    },
}
LOYAL = {"campaign": "loyalty", "template": "loyalty_thanks", "fields": {"first_name": "Anna", "orders_count": 5}}
SILENT = {
    "campaign": "reactivation",
    "template": "reactivation_reminder",
    "fields": {"first_name": "Anna", "silent_days": 90},
}
BERTS = hash_address(KEY, "email", "bert@example.com")
SOUND: list[dict[str, Any]] = [CART, LOYAL, SILENT]


def _declare(template: str) -> Any:
    """As much of a campaign as the check reads: the templates of its steps."""
    return SimpleNamespace(steps=(SimpleNamespace(send=SimpleNamespace(template=template)),))


CATALOGUE: Any = SimpleNamespace(campaigns={sound["campaign"]: _declare(sound["template"]) for sound in SOUND})


@pytest.fixture
def noon(open_workspace: OpenWorkspace, connections: dict[str, Any], tmp_path: Path) -> Workspace:
    """A checkout whose suites allow a thousandth of the real volumes, so that too many rows are quickly planted."""
    connections["sendgrid"] = describe_sendgrid("http://127.0.0.1:1")
    root = tmp_path / "project"
    (root / "include").mkdir(parents=True)
    (root / "include" / "templates").symlink_to(PROJECT_ROOT / "include" / "templates")
    (root / "expectations" / "outgoing").mkdir(parents=True)
    for file in SUITES.glob("*.yml"):
        text = (
            file.read_text()
            .replace("max_value: 1000000}", "max_value: 1000}")
            .replace("max_value: 50000}", "max_value: 50}")
        )
        (root / "expectations" / "outgoing" / file.name).write_text(text)
    return open_workspace(NOON, project_root=root)


@pytest.mark.parametrize("sound", SOUND, ids=lambda sound: sound["campaign"])
def test_sound_rows_pass(noon: Workspace, company: Company, sound: dict[str, Any]) -> None:
    run_id = company.add_run()
    company.decide(run_id, ["anna", "bert"], **sound)
    report = check_outgoing(noon, sound["campaign"], CATALOGUE)
    assert report.row_count == 2
    assert "all" in report.describe()


def test_nothing_pending_is_nothing_to_judge(noon: Workspace, company: Company) -> None:
    assert check_outgoing(noon, "reactivation", CATALOGUE).result is None
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"], **SILENT)
    plan(noon)
    assert check_outgoing(noon, "reactivation", CATALOGUE).result is None


def _update(assignment: str) -> Callable[[Company], None]:
    return lambda company: company.connection.execute(  # type: ignore[return-value]
        f"update decisions.fct_decisions set {assignment} where contact_id = 'anna'"
    )


def _multiply(count: int) -> Callable[[Company], None]:
    return lambda company: company.connection.execute(  # type: ignore[return-value]
        "insert into decisions.fct_decisions select (jsonb_populate_record(decision, jsonb_build_object("
        "'contact_id', number::text, 'address_hash', number::text))).* "
        "from decisions.fct_decisions as decision, generate_series(1, %s) as number where contact_id = 'anna'",
        [count],
    )


FAULTS: list[tuple[str, dict[str, Any], Callable[[Company], None]]] = [
    ("volume", SILENT, _multiply(1_001)),
    ("address_present", CART, _update("address_hash = null")),
    ("one_row_per_address", CART, _update("address_hash = '" + BERTS + "'")),
    ("locale_present", CART, _update("locale = ' '")),
    ("no_empty_template_field", CART, _update("fields = fields || '{\"currency\": \" \"}'")),
    ("absolute_links", CART, _update("fields = fields || '{\"recovery_url\": \"/cart\"}'")),
    ("absolute_links", CART, _update("fields = fields || '{\"recovery_url\": \"javascript:alert(1)\"}'")),
    ("due_before_it_expires", CART, _update("expires_at = due_at")),
    ("volume_of_an_hour", CART, _multiply(51)),
    ("silent_for_a_week_at_least", SILENT, _update("fields = fields || '{\"silent_days\": 1}'")),
    ("came_back_at_least_once", LOYAL, _update("fields = fields || '{\"orders_count\": 1}'")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "sound", "plant"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_each_fault_is_caught_and_named(
    noon: Workspace, company: Company, rule: str, sound: dict[str, Any], plant: Callable[[Company], None]
) -> None:
    run_id = company.add_run()
    company.decide(run_id, ["anna", "bert"], **sound)
    plant(company)
    with pytest.raises(CheckFailed) as caught:
        check_outgoing(noon, sound["campaign"], CATALOGUE)
    message = str(caught.value)
    assert f"outgoing_{sound['campaign']}: {rule}" in message
    assert "anna" not in message
    assert "Anna" not in message
    if not rule.startswith("volume"):
        key = company.scalar(
            """
            select encode(sha256(convert_to(concat_ws(':', run_id, step, contact_id, occurrence_key), 'UTF8')), 'hex')
            from decisions.fct_decisions
            where contact_id = 'anna'
            """
        )
        assert key in message


def test_every_rule_has_its_fault() -> None:
    rules = {
        entry["meta"]["rule"]
        for file in SUITES.glob("*.yml")
        for entry in yaml.safe_load(file.read_text())["expectations"]
    }
    assert rules == {fault[0] for fault in FAULTS}
