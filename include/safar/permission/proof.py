"""What proves that somebody said yes: the form of column ``proof`` in ledger.permission_event."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# Names, not prose: what was typed into a form has no place in a proof.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$")]


class StatedProof(BaseModel):
    """Which text was agreed to, where, and when (business time)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_version: Name
    form: Name
    stated_at: AwareDatetime


class ConfirmedProof(StatedProof):
    """The same, and by what it was confirmed afterwards.

    ``confirms`` is the source_key of the pending row; ``confirmation_method`` is a name such as ``email_link``.
    """

    confirms: Name
    confirmed_at: AwareDatetime
    confirmation_method: Name
