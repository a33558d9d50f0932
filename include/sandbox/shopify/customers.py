"""A customer as a GraphQL node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.clock import write_seconds
from sandbox.company import Company
from sandbox.company.crm import phone_number
from sandbox.company.places import PLACES, Place
from sandbox.company.population import PENDING, REDACTED, SUBSCRIBED, UNKNOWN, UNSUBSCRIBED, spell_address

CUSTOMER_BASE = 7_000_000_000
CONFIRMING = ("DE", "AT")
"""Where the shop asks new subscribers to confirm."""
STATES = {
    UNKNOWN: "NOT_SUBSCRIBED",
    SUBSCRIBED: "SUBSCRIBED",
    UNSUBSCRIBED: "UNSUBSCRIBED",
    PENDING: "PENDING",
    REDACTED: "REDACTED",
}


def customer_gid(number: int) -> str:
    return f"gid://shopify/Customer/{CUSTOMER_BASE + number}"


def spell_email(company: Company, person: int) -> str | None:
    """A person's e-mail as the shop has it: sometimes in other case, with blanks, missing, or erased."""
    if is_redacted(company, person):
        return None
    form = int(company.population.traits["shop_email_form"][person])
    return spell_address(company.population.address(person), form, person)


def is_redacted(company: Company, person: int) -> bool:
    return int(company.shop.state["consent"][person]) == REDACTED


class Customer(dict[str, Any]):
    """One customer at the clock's moment; a field is worked out when it is asked for."""

    def __init__(self, company: Company, number: int) -> None:
        super().__init__(id=customer_gid(number))
        self.company = company
        self.number = number
        self.person = int(company.shop.customers["person"][number])

    def __missing__(self, name: str) -> Any:
        value = self[name] = _FIELDS[name](self)
        return value

    @property
    def place(self) -> Place:
        return PLACES[int(self.company.population.traits["place"][self.person])]

    @property
    def is_redacted(self) -> bool:
        return is_redacted(self.company, self.person)

    def names(self) -> tuple[str | None, str | None]:
        if self.is_redacted:
            return None, None
        first, family = self.company.population.names(self.person)
        return first[0], family[0]

    def state(self, name: str) -> int:
        return int(self.company.shop.state[name][self.person])

    def opened_at(self) -> int:
        return int(self.company.shop.customers["at"][self.number])


def _last_change(customer: Customer) -> str:
    changes = [customer.state(name) for name in ("last_order_at", "consent_at")]
    return write_seconds(max([customer.opened_at(), *(one for one in changes if one <= customer.company.seconds)]))


def _describe_consent(customer: Customer) -> dict[str, Any] | None:
    if customer["email"] is None and not customer.is_redacted:
        return None
    state, at = STATES[customer.state("consent")], customer.state("consent_at")
    is_said = state != "NOT_SUBSCRIBED" and at <= customer.company.seconds
    level = "CONFIRMED_OPT_IN" if customer.place.country_code in CONFIRMING else "SINGLE_OPT_IN"
    return {
        "marketingState": state,
        "marketingOptInLevel": level if state == "SUBSCRIBED" else None,
        "consentUpdatedAt": write_seconds(at) if is_said else None,
    }


def _describe_address_of_mail(customer: Customer) -> dict[str, Any] | None:
    consent = _describe_consent(customer)
    if consent is None:
        return None
    return {**consent, "emailAddress": customer["email"], "marketingUpdatedAt": consent["consentUpdatedAt"]}


def _describe_home(customer: Customer) -> dict[str, Any] | None:
    if customer.is_redacted:
        return None
    place = customer.place
    province = place.provinces[customer.person % len(place.provinces)]
    return {
        "country": place.country,
        "countryCodeV2": place.country_code,
        "city": province,
        "zip": str(10_000 + customer.person % 80_000),
        "province": province,
        "provinceCode": None,
    }


_FIELDS: Mapping[str, Callable[[Customer], Any]] = {
    "legacyResourceId": lambda customer: str(CUSTOMER_BASE + customer.number),
    "firstName": lambda customer: customer.names()[0],
    "lastName": lambda customer: customer.names()[1],
    "displayName": lambda customer: " ".join(name for name in customer.names() if name),
    "email": lambda customer: spell_email(customer.company, customer.person),
    "phone": lambda customer: (
        None if customer.is_redacted else phone_number(customer.company.population, customer.person)
    ),
    "locale": lambda customer: customer.place.locale,
    "state": lambda customer: "ENABLED" if customer.state("orders_count") else "DISABLED",
    "tags": lambda customer: ["wholesale"] if customer.person % 97 == 0 else [],
    "note": lambda customer: None,
    "numberOfOrders": lambda customer: str(customer.state("orders_count")),
    "amountSpent": lambda customer: customer.state("spent_cents"),
    "createdAt": lambda customer: write_seconds(customer.opened_at()),
    "updatedAt": _last_change,
    "verifiedEmail": lambda customer: customer["email"] is not None,
    "taxExempt": lambda customer: False,
    "emailMarketingConsent": _describe_consent,
    "defaultEmailAddress": _describe_address_of_mail,
    "defaultAddress": _describe_home,
}
