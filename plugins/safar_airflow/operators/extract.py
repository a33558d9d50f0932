"""Land a source, then check what landed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowRescheduleException

from safar_airflow.operators.verb import VerbOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.catalogue import Catalogue
    from safar.workspace import Workspace


class LandSource(VerbOperator):
    """Pulls what is new from one source into raw_<source>, or what the form asks for again; returns the load's id.

    When the vendor takes no more calls for now, the task gives its worker back and is up for reschedule.
    """

    reschedule = True
    """What Airflow asks of a task before it looks for the time at which it wants to go on."""

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> dict[str, Any]:
        from safar.extraction import LoadPutOff, land_source, read_repull

        form = {name: context["params"].get(name) for name in ("since", "until", "night", "table")}
        try:
            report = land_source(workspace, catalogue.sources[self.source], repull=read_repull(**form))
        except LoadPutOff as told:
            self.log.warning("%s", told)
            # Airflow's scheduler lives by the wall clock, also where business time is another.
            wait = told.resumes_at - workspace.clock.now()
            raise AirflowRescheduleException(datetime.now(UTC) + wait) from None  # type: ignore[no-untyped-call]
        self.log.info("%s", report.describe())
        return {"load_id": report.load_id}


class CheckLoad(VerbOperator):
    """Judges a load as a whole; a red one is rolled back and the source stays where it was."""

    template_fields = ("load_id",)

    def __init__(self, *, source: str, load_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.load_id = load_id

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.erasure import resume_erasures
        from safar.extraction import check_load

        check_load(workspace, catalogue.sources[self.source], self.load_id)
        # Whoever the vendor has erased is not written to this morning either.
        self.log.info("%s", resume_erasures(workspace, catalogue).describe())
