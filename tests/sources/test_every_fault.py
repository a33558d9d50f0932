"""Every declared source with every fault of the sandbox: what it leaves behind is what an undisturbed load leaves.

A new source takes part by itself. A fault that its vendor cannot have stands, with the reason, in its YAML
(``not_applicable``).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.sources.conftest import SOURCES, Landing, Truth, World, name_vendor

import sandbox.app  # noqa: F401 - vendors declare their own faults
from safar.errors import SafarError
from safar.extraction import LoadPutOff
from safar.services.vendors import ACCOUNTS
from sandbox.faults import KINDS

PLACES = (
    ["in the middle"] if "EVERY_PLACE" not in os.environ else ["at the first call", "in the middle", "at the last call"]
)
"""Where in a load it happens; `make test-sources` tries all."""
OPTIONS = {
    "short_associations": {"to": 0},
    "timeout": {"seconds": 0.2},
    "lost_answer": {"seconds": 0.2},
    "slow": {"seconds": 0.3},
}
"""A vendor's minutes made short, and its large numbers small."""


def list_cases(remedy: str, *, is_own: bool) -> Iterator[tuple[str, str]]:
    """Each source with each fault that calls for this remedy: its vendor's own, or one that every vendor may have."""
    for source, declared in SOURCES.items():
        for fault, kind in KINDS.items():
            concerns = kind.vendor == (name_vendor(source) if is_own else "")
            if kind.remedy == remedy and concerns and fault not in declared.not_applicable:
                yield source, fault


def for_each(remedy: str, *, is_own: bool = False) -> pytest.MarkDecorator:
    cases = list(list_cases(remedy, is_own=is_own))
    assert cases
    return pytest.mark.parametrize(("source", "fault"), cases, ids=["-".join(case) for case in cases])


@pytest.fixture(autouse=True)
def mended(world: World) -> Iterator[None]:
    yield
    world.mend()


@pytest.fixture(params=["first load", "next load"])
def landing(request: pytest.FixtureRequest, world: World, source: str) -> Iterator[Landing]:
    with world.open(source, is_first=request.param == "first load") as landing:
        yield landing


@pytest.fixture
def truth(request: pytest.FixtureRequest, world: World, source: str) -> Truth:
    return world.read_truth(source, is_first="first load" in request.node.name)


def test_every_source_has_an_account_at_a_simulated_vendor() -> None:
    assert set(SOURCES) <= set(ACCOUNTS)


def test_what_cannot_happen_is_named_with_the_vendor_s_reason() -> None:
    for name, source in SOURCES.items():
        for fault, reason in source.not_applicable.items():
            assert KINDS[fault].vendor == "", f"{name}: {fault} is another vendor's own; leave it out"
            assert len(reason.split()) >= 5, f"{name}: say why {fault} cannot happen"


def test_a_fault_is_tried_unless_the_source_says_why_it_cannot_be() -> None:
    tried = {
        *list_cases("come_back_later", is_own=False),
        *list_cases("leave_out_the_record", is_own=False),
    }
    assert {("hubspot", "quota_used_up"), ("hubspot", "bad_email")} <= tried
    assert not {("meta_ads", "quota_used_up"), ("meta_ads", "bad_email")} & tried


@for_each("ask_again")
@pytest.mark.parametrize("place", PLACES)
def test_what_passes_is_asked_again_and_nothing_is_missing(
    world: World, source: str, fault: str, place: str, landing: Landing, truth: Truth
) -> None:
    calls = {"at the first call": 0, "in the middle": truth.calls // 2, "at the last call": truth.calls - 1}
    world.break_with(fault, source, skip=calls[place], **OPTIONS.get(fault, {}))
    landing.load()
    assert world.list_faults() == [], "the fault was never met"
    assert (landing.read(), landing.quarantined) == (truth.rows, truth.quarantined)


@for_each("come_back_later")
def test_a_load_that_is_put_off_lands_nothing_and_loses_nothing(
    world: World, source: str, fault: str, landing: Landing, truth: Truth
) -> None:
    before = landing.read() if landing.has_landed() else None
    world.break_with(fault, source, skip=truth.calls // 2)
    with pytest.raises(LoadPutOff):
        landing.load()
    assert (landing.read() if landing.has_landed() else None) == before
    landing.load()
    assert (landing.read(), landing.quarantined) == (truth.rows, truth.quarantined)


@for_each("ask_again", is_own=True)
def test_what_passes_with_this_vendor_alone_is_asked_again_too(world: World, source: str, fault: str) -> None:
    truth = world.read_truth(source, is_first=True)
    world.break_with(fault, source, **OPTIONS.get(fault, {}))
    with world.open(source, is_first=True) as landing:
        landing.load()
        assert world.list_faults() == [], "the fault was never met"
        assert (landing.read(), landing.quarantined) == (truth.rows, truth.quarantined)


@for_each("give_up", is_own=True)
def test_what_only_a_person_can_mend_fails_and_lands_nothing(world: World, source: str, fault: str) -> None:
    truth = world.read_truth(source, is_first=True)
    with world.open(source, is_first=True) as landing:
        world.break_with(fault, source, count=None, **OPTIONS.get(fault, {}))
        with pytest.raises(SafarError, match=source):
            landing.load()
        assert not landing.has_landed()
        world.mend()
        landing.load()
        assert (landing.read(), landing.quarantined) == (truth.rows, truth.quarantined)


@for_each("look_back", is_own=True)
def test_what_a_vendor_finds_late_is_found_by_the_next_load(
    world: World, source: str, fault: str, landing: Landing, truth: Truth
) -> None:
    world.break_with(fault, source, count=None)
    landing.load()
    world.mend()
    landing.load()
    assert landing.read() == truth.rows


@for_each("leave_out_the_record")
def test_a_spoiled_record_is_kept_apart_or_landed_as_it_came_and_the_rest_goes_on(
    world: World, source: str, fault: str
) -> None:
    truth = world.read_truth(source, is_first=True)
    world.break_with(fault, source)
    with world.open(source, is_first=True) as landing:
        landing.load()
        assert world.list_faults() == [], "the fault was never met"
        found = landing.read()
    # What hangs on a record is asked for by it, so it is missing with it.
    asked = [table.name for table in landing.source.tables if table.extract.batch is None]
    missing = {table: sum((Counter(rows) - Counter(found[table])).values()) for table, rows in truth.rows.items()}
    other = {table: sum((Counter(rows) - Counter(truth.rows[table])).values()) for table, rows in found.items()}
    assert sum(missing[table] for table in asked) == 1, missing
    assert sum(other.values()) == 1 or landing.quarantined > truth.quarantined, "the record is gone without a trace"
    assert sum(other.values()) <= 1, other
    assert not any(other[table] and not missing[table] for table in other), other
