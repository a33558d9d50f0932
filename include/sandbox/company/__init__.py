"""The people, what they do, and what each vendor would know of it."""

from sandbox.company.life import Company
from sandbox.company.people import Person, Standing

__all__ = ["Company", "Person", "Standing"]
