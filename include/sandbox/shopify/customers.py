"""A customer as a GraphQL node."""

from __future__ import annotations

from sandbox.clock import from_seconds, write_moment
from sandbox.company import Company
from sandbox.company.crm import phone_number
from sandbox.company.places import PLACES
from sandbox.company.population import PENDING, SUBSCRIBED, UNKNOWN, UNSUBSCRIBED, spell_address
from sandbox.shopify.connection import Node

CUSTOMER_BASE = 7_000_000_000
STATES = {UNKNOWN: "NOT_SUBSCRIBED", SUBSCRIBED: "SUBSCRIBED", UNSUBSCRIBED: "UNSUBSCRIBED", PENDING: "PENDING"}


def write_seconds(seconds: int) -> str:
    """Writes seconds since 1970 as the shop does."""
    return write_moment(from_seconds(seconds))


def customer_gid(number: int) -> str:
    return f"gid://shopify/Customer/{CUSTOMER_BASE + number}"


def spell_email(company: Company, person: int) -> str | None:
    """A person's e-mail as the shop has it: sometimes in other case, with blanks, or missing."""
    form = int(company.population.traits["shop_email_form"][person])
    return spell_address(company.population.address(person), form, person)


def make_customer(company: Company, number: int) -> Node:
    """Describes one customer at the clock's moment."""
    shop, population = company.shop, company.population
    person = int(shop.customers["person"][number])
    first, family = population.names(person)
    place = PLACES[int(population.traits["place"][person])]
    opened = int(shop.customers["at"][number])
    orders_count = int(shop.state["orders_count"][person])
    email = spell_email(company, person)
    province = place.provinces[person % len(place.provinces)]
    return {
        "id": customer_gid(number),
        "legacyResourceId": str(CUSTOMER_BASE + number),
        "firstName": first[0],
        "lastName": family[0],
        "displayName": f"{first[0]} {family[0]}",
        "email": email,
        "phone": phone_number(population, person),
        "locale": place.locale,
        "state": "ENABLED" if orders_count else "DISABLED",
        "tags": ["wholesale"] if person % 97 == 0 else [],
        "note": None,
        "numberOfOrders": str(orders_count),
        "amountSpent": int(shop.state["spent_cents"][person]),
        "createdAt": write_seconds(opened),
        "updatedAt": write_seconds(_last_change(company, person, opened)),
        "verifiedEmail": email is not None,
        "taxExempt": False,
        **_describe_consent(company, person, email),
        "defaultAddress": {
            "country": place.country,
            "countryCodeV2": place.country_code,
            "city": province,
            "zip": str(10_000 + person % 80_000),
            "province": province,
            "provinceCode": None,
        },
    }


def _last_change(company: Company, person: int, opened: int) -> int:
    changes = [int(company.shop.state[name][person]) for name in ("last_order_at", "consent_at")]
    return max([opened, *(moment for moment in changes if moment <= company.seconds)])


def _describe_consent(company: Company, person: int, email: str | None) -> Node:
    if email is None:
        return {"emailMarketingConsent": None, "defaultEmailAddress": None}
    state = STATES[int(company.shop.state["consent"][person])]
    at = int(company.shop.state["consent_at"][person])
    said_at = None if state == "NOT_SUBSCRIBED" or at > company.seconds else write_seconds(at)
    said = {"marketingState": state, "marketingOptInLevel": "SINGLE_OPT_IN" if state == "SUBSCRIBED" else None}
    return {
        "emailMarketingConsent": {**said, "consentUpdatedAt": said_at},
        "defaultEmailAddress": {**said, "emailAddress": email, "marketingUpdatedAt": said_at},
    }
