"""Takes in one post of events: verified, read, kept, answered."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from fastapi.responses import PlainTextResponse

from safar.delivery.addresses import hash_address, normalise_email
from safar.intake.events import EventReader, keep_aside
from safar.intake.ledger_pool import LedgerPool, LedgerUnavailable
from safar.intake.settings import IntakeSettings
from safar.intake.signature import EventSignature, ForgedEvents, read_event_signature
from safar.intake.storing import store_events
from safar.workspace import ADDRESS_KEY, INTAKE, Workspace

log = logging.getLogger("safar.intake")


@dataclass(frozen=True)
class EventReceiving:
    """What a post of events needs."""

    signature: EventSignature
    reader: EventReader
    pool: LedgerPool

    @classmethod
    def open(cls, workspace: Workspace, settings: IntakeSettings, pool: LedgerPool) -> EventReceiving:
        """Reads the keys.

        Raises:
            ConfigurationError: a connection or a key in it is missing.
        """
        key = workspace.connections.get(ADDRESS_KEY).secret

        def hash_email(email: str) -> str | None:
            address = normalise_email(email)
            return hash_address(key, "email", address) if address else None

        link_prefix = f"{workspace.connections.get(INTAKE).base_url}/"
        reader = EventReader(hash_email, settings.late_after, link_prefix)
        return cls(read_event_signature(workspace), reader, pool)

    def answer(self, body: bytes, timestamp: str | None, signature: str | None) -> PlainTextResponse:
        """Returns 200 when all is kept; anything else makes the provider come back with the same post."""
        try:
            signed_at = self.signature.verify(body, timestamp, signature)
        except ForgedEvents as error:
            log.warning("a post of %d bytes was refused: %s", len(body), error)
            return PlainTextResponse("The signature of this post is missing or does not fit.", 403)
        status = 200
        try:
            events = self.reader.read(body, signed_at)
        except ValueError:
            log.error("a signed post of %d bytes is no JSON array; its hash is kept", len(body))
            events, status = [keep_aside(body, "the body is no JSON array", signed_at)], 400
        try:
            new_count = self.pool.run(lambda connection: store_events(connection, events))
        except LedgerUnavailable as error:
            log.error("%d events must come again, the ledger is unavailable: %s", len(events), error)
            return PlainTextResponse("Please post this again later.", 503, {"Retry-After": "60"})
        log.info("%d events, %d of them new", len(events), new_count)
        return PlainTextResponse(f"{new_count} new of {len(events)}\n", status)
