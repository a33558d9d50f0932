"""The word of a person that lets a campaign reach more real people than its first few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safar.errors import SafarError
from safar.workspace import Workspace

if TYPE_CHECKING:
    from safar.catalogue import Catalogue

APPROVE = """
update ledger.first_live
set
    approved_at = coalesce(approved_at, now()),
    approved_by = coalesce(approved_by, %(approved_by)s)
where campaign = %(campaign)s
returning approved_by
"""
COUNT = """
select
    (select count(*) from ledger.first_live_message where campaign = %(campaign)s),
    (select count(*) from ledger.message where is_planned and campaign = %(campaign)s)
"""


@dataclass(frozen=True)
class FirstLiveApproval:
    """Who approved a campaign, and how many messages that concerns."""

    campaign: str
    approved_by: str
    sent_count: int
    planned_count: int

    def describe(self) -> str:
        return (
            f"{self.campaign} is approved by {self.approved_by}: after its first {self.sent_count} messages to real "
            f"people the other {self.planned_count} that are planned leave when they are due."
        )


def approve_first_live(
    workspace: Workspace, campaign: str, catalogue: Catalogue, identities: Sequence[str]
) -> FirstLiveApproval:
    """Approves the campaign for sending; the first approval stands.

    Args:
        identities: every name by which whoever approves is known; the first one is written down.

    Raises:
        SafarError: the campaign is unknown or has sent nothing yet, or its owner tries to approve it.
    """
    declared = catalogue.campaigns.get(campaign)
    if declared is None:
        raise SafarError(f"There is no campaign {campaign!r}. Campaigns: {', '.join(sorted(catalogue.campaigns))}.")
    if declared.owner.is_one_of(identities):
        raise SafarError(
            f"{identities[0]} owns the campaign {campaign!r} and may not approve it. Ask somebody else to."
        )
    with workspace.open_ledger() as ledger:
        rows = ledger.execute(APPROVE, {"campaign": campaign, "approved_by": identities[0]}).fetchall()
        if not rows:
            raise SafarError(
                f"The campaign {campaign!r} has not written to real people yet. Let it send its first "
                f"{declared.first_live_messages} messages, look at them, then approve it."
            )
        counts = ledger.execute(COUNT, {"campaign": campaign}).fetchone()
    assert counts is not None
    return FirstLiveApproval(campaign, rows[0][0], *counts)
