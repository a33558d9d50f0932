"""Tells programs from people by the name that they give themselves."""

from __future__ import annotations

from functools import lru_cache

from crawleruseragents import is_crawler

MAX_LENGTH = 400


def is_bot(user_agent: object) -> bool:
    """Whether a user agent is a known crawler's; who gives no name may be anybody."""
    return isinstance(user_agent, str) and bool(user_agent) and _is_known(user_agent[:MAX_LENGTH])


@lru_cache(maxsize=4096)
def _is_known(user_agent: str) -> bool:
    return bool(is_crawler(user_agent))
