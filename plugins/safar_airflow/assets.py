"""The assets that carry a night from one DAG to the next."""

from __future__ import annotations

from airflow.sdk import Asset


def name_raw_asset(source: str) -> Asset:
    """A source whose newest load has passed its checks."""
    return Asset(name=f"raw/{source}", uri=f"safar://raw/{source}", group="safar")


def name_decisions_asset(campaign: str) -> Asset:
    """A campaign on which a run has just decided; the event's extra holds run_id and as_of."""
    return Asset(name=f"decisions/{campaign}", uri=f"safar://decisions/{campaign}", group="safar")
