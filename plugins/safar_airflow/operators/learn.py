"""Collect what came back and keep the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safar_airflow.operators.verb import VerbOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.catalogue import Catalogue
    from safar.workspace import Workspace


class CollectFeedback(VerbOperator):
    """Fetches the providers' suppressions and settles messages whose fate is unknown."""

    watches = True

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.delivery import DeliveryRules
        from safar.feedback import collect_feedback

        thresholds = DeliveryRules.from_catalogue(catalogue).breaker
        self.log.info("%s", collect_feedback(workspace, thresholds).describe())


class KeepHouse(VerbOperator):
    """Proves that every candidate and every decision is accounted for, and tidies up."""

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.alerting import AlertKind, close_alerts
        from safar.feedback import keep_house

        self.log.info("%s", keep_house(workspace).describe())
        close_alerts(workspace, [AlertKind.IDENTITY_BROKEN])
