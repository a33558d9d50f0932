"""Companies and deals as HubSpot's records."""

from __future__ import annotations

from sandbox.clock import to_seconds
from sandbox.company import Company
from sandbox.company.businesses import FIRST_BUSINESS_ID, Business, Businesses
from sandbox.company.crm import write_milliseconds
from sandbox.company.deals import FIRST_DEAL_ID, Deal, list_deals
from sandbox.company.staff import choose_owner
from sandbox.hubspot.records import ObjectKind, PlainRecord


def open_businesses(company: Company) -> Businesses:
    return Businesses(company.seed, company.config.people, to_seconds(company.config.start))


def list_company_records(company: Company) -> list[PlainRecord]:
    return [_describe_business(one) for one in open_businesses(company).list_known(company.seconds)]


def list_deal_records(company: Company) -> list[PlainRecord]:
    return [_describe_deal(company, one) for one in list_deals(company.seed, company.population, company.seconds)]


COMPANIES = ObjectKind("companies", list_company_records, ("domain", "name"), searched=("name", "domain"))
DEALS = ObjectKind(
    "deals",
    list_deal_records,
    ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    searched=("dealname",),
    staged="dealstage",
)


def make_record(
    object_id: int,
    moments: tuple[int, int, int | None],
    properties: dict[str, str | None],
    entries: tuple[tuple[int, str], ...] = (),
) -> PlainRecord:
    """A record of a kind whose own dates stand in ``hs_lastmodifieddate`` and ``createdate``.

    Args:
        moments: when it was made, changed and archived, in seconds.
    """
    created, updated, archived = moments
    dates = {
        "createdate": write_milliseconds(created * 1000),
        "hs_lastmodifieddate": write_milliseconds(updated * 1000),
        "hs_object_id": str(object_id),
    }
    archived_ms = 0 if archived is None else archived * 1000
    return PlainRecord(object_id, created * 1000, updated * 1000, archived_ms, {**properties, **dates}, entries)


def write_flag(is_so: bool) -> str:
    return "true" if is_so else "false"


def _describe_business(one: Business) -> PlainRecord:
    merged = ";".join(str(FIRST_BUSINESS_ID + number) for number in one.merged)
    properties: dict[str, str | None] = {
        "name": one.name,
        "domain": one.domain,
        "industry": one.industry,
        "city": one.city,
        "country": one.country,
        "numberofemployees": str(one.employees_count),
        "lifecyclestage": one.stage,
        "hubspot_owner_id": str(choose_owner(one.number)),
        "hs_merged_object_ids": merged or None,
    }
    moments = (one.created_at, one.updated_at, one.archived_at)
    return make_record(FIRST_BUSINESS_ID + one.number, moments, properties)


def _describe_deal(company: Company, deal: Deal) -> PlainRecord:
    first, family = company.population.names(deal.person)
    properties: dict[str, str | None] = {
        "dealname": f"{first[0]} {family[0]}, {deal.pipeline.label}",
        "pipeline": deal.pipeline.pipeline_id,
        "dealstage": deal.stage.stage_id,
        "amount": f"{deal.amount_cents // 100}.{deal.amount_cents % 100:02d}",
        "deal_currency_code": deal.currency,
        "closedate": write_milliseconds(deal.closes_at * 1000),
        "hubspot_owner_id": str(choose_owner(deal.number)),
        "hs_is_closed": write_flag(deal.stage.is_closed),
        "hs_is_closed_won": write_flag(deal.stage is deal.pipeline.won),
    }
    moments = (deal.created_at, deal.updated_at, deal.archived_at)
    entries = tuple((at * 1000, stage.stage_id) for at, stage in deal.entries)
    return make_record(FIRST_DEAL_ID + deal.number, moments, properties, entries)
