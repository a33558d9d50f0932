"""One post of calls: unpacked, and taken apart into its calls."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import orjson

GZIP = 31
"""zlib's name for the gzip format."""


class PostTooLarge(Exception):
    """Unpacked, the body exceeds what is read of it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a post, not read yet."""

    type: str
    told: object


@dataclass(frozen=True)
class Post:
    """What was posted, before any call in it is looked at."""

    body: dict[str, Any]

    @property
    def write_key(self) -> str | None:
        """The key inside the body, where libraries for the web put it."""
        key = self.body.get("writeKey")
        return key if isinstance(key, str) else None

    def list_calls(self, route: str) -> list[Call]:
        """The calls with their types; what stands beside a batch holds for all of its calls.

        Raises:
            ValueError: a batch is no list.
        """
        if route != "batch":
            return [Call(route, _leave_out_key(self.body))]
        batch = self.body.get("batch")
        if not isinstance(batch, list):
            raise ValueError("batch must be a list of calls")
        return [self._read_call(told) for told in batch]

    def _read_call(self, told: object) -> Call:
        if not isinstance(told, dict):
            return Call("", told)
        shared, own = (
            {} if not isinstance(one, dict) else one for one in (self.body.get("context"), told.get("context"))
        )
        merged = {**_leave_out_key(told), "context": {**shared, **own}}
        if "sentAt" in self.body:
            merged["sentAt"] = self.body["sentAt"]
        return Call(str(told.get("type") or ""), merged)


def read_post(body: bytes, encoding: str | None, limit: int) -> Post:
    """Unpacks and parses.

    Raises:
        PostTooLarge: unpacked it is longer than the limit; the rest is not unpacked.
        ValueError: it is no JSON object, or not packed as it says.
    """
    if (encoding or "").strip().lower() == "gzip":
        body = _unpack(body, limit)
    told = orjson.loads(body)
    if not isinstance(told, dict):
        raise ValueError("the body is no JSON object")
    return Post(told)


def _unpack(body: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj(wbits=GZIP)
    try:
        unpacked = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise ValueError("the body is not gzip") from error
    if len(unpacked) > limit:
        raise PostTooLarge
    if not unpacking.eof:
        raise ValueError("the gzip body is cut short")
    return unpacked


def _leave_out_key(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "writeKey"}
