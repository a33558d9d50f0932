"""What every operator of ours does around its verb."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from safar.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.catalogue import Catalogue
    from safar.workspace import Workspace


class VerbOperator(BaseOperator):
    """Opens the workspace and the catalogue inside the task and runs one verb of `safar` with them."""

    watches: ClassVar[bool] = False
    """Whether alerts are looked for in the ledger afterwards: after verbs that change what alerts are about."""

    @abstractmethod
    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> Any:
        """Does the work; what it returns goes to XCom and holds no personal data."""

    def execute(self, context: Context) -> Any:
        """Runs the verb.

        A wrong configuration fails at once, a retry would not mend it. A run that a newer one has
        superseded is skipped: it must not overwrite what the newer one has built.
        """
        from safar.alerting import watch_ledger
        from safar.catalogue import load_catalogue
        from safar.warehouse import Superseded
        from safar_airflow.notifiers import link_task
        from safar_airflow.workspace import open_workspace

        try:
            workspace = open_workspace()
            try:
                return self.run_verb(workspace, load_catalogue(workspace.settings), context)
            finally:
                if self.watches:
                    watch_ledger(workspace, link_task(context))
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from error
        except Superseded as error:
            raise AirflowSkipException(str(error)) from error


def read_run_key(context: Context) -> tuple[str, str]:
    """The dag_id and run_id by which the ledger knows this DAG run."""
    run = context["dag_run"]
    return run.dag_id, run.run_id
