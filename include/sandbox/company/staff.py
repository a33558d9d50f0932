"""The company's own people who look after records of the CRM."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clock import DAY_SECONDS

FIRST_OWNER_ID = 41_629_001
_NAMES = (
    ("Nora", "Lindqvist"), ("Emre", "Aksoy"), ("Paula", "Brandner"), ("Jonas", "Tiedtke"), ("Shirin", "Bahrami"),
    ("Luc", "Fontenay"),
)  # fmt: skip
_LEAVES = {3: 12}
"""Who leaves how many days after the start."""


@dataclass(frozen=True)
class Colleague:
    """Somebody who owns records of the CRM."""

    owner_id: int
    first_name: str
    last_name: str
    created_at: int
    left_at: int | None
    """Seconds since 1970; None: stays."""

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@safar-shop.example".lower()


def list_colleagues(start: int) -> list[Colleague]:
    """Everybody who ever owned a record.

    Args:
        start: the company's start, seconds since 1970.
    """
    return [
        Colleague(
            owner_id=FIRST_OWNER_ID + number,
            first_name=first,
            last_name=last,
            created_at=start - (700 - number) * DAY_SECONDS,
            left_at=start + _LEAVES[number] * DAY_SECONDS + 3600 if number in _LEAVES else None,
        )
        for number, (first, last) in enumerate(_NAMES)
    ]


def choose_owner(number: int) -> int:
    """The owner of a record."""
    return FIRST_OWNER_ID + number % len(_NAMES)
