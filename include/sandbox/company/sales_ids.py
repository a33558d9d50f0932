"""Record ids as Salesforce writes them: three letters for the kind, a number to base 62, and three letters more."""

from __future__ import annotations

import string

PREFIXES = {
    "User": "005",
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "Opportunity": "006",
    "OpportunityHistory": "008",
    "Job": "750",
    "Query": "01g",
}
INSTANCE = "5g00000"
"""Which of the vendor's servers made a record."""
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKS = string.ascii_uppercase + "012345"


def make_id(kind: str, number: int) -> str:
    """The id of 18 characters, whose last three tell where the first fifteen have capitals."""
    short = f"{PREFIXES[kind]}{INSTANCE}{_to_base_62(number)}"
    checks = "".join(
        _CHECKS[sum(1 << place for place, letter in enumerate(short[start : start + 5]) if letter.isupper())]
        for start in (0, 5, 10)
    )
    return short + checks


def _to_base_62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits.rjust(5, "0")
