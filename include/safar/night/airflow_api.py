"""The few calls of Airflow's public API that a driver of nights needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import requests
from tenacity import RetryCallState, retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from safar.errors import SafarError

TERMINAL = frozenset({"success", "failed"})


def _give_last_answer(state: RetryCallState) -> requests.Response:
    """The answer that stays an error; a connection that was never made is raised."""
    assert state.outcome is not None
    answer: requests.Response = state.outcome.result()
    return answer


class AirflowApi:
    """A session with one Airflow, logged in with a user's password."""

    def __init__(self, base_url: str, user: str, password: str) -> None:
        self._root = base_url.rstrip("/")
        self._session = requests.Session()
        answer = self._session.post(
            f"{self._root}/auth/token", json={"username": user, "password": password}, timeout=60
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, *, ok: tuple[int, ...] = (), **arguments: Any) -> Any:
        """Calls the API and returns its JSON.

        Raises:
            SafarError: the answer is an error and its status is not in ``ok``.
        """
        answer = self._request(method, path, **arguments)
        if answer.status_code >= 400 and answer.status_code not in ok:
            raise SafarError(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json() if answer.content else None

    # Under load Airflow's own transactions lose against each other, and it answers 500; whatever is called here may be
    # called again: a run has its id, and clearing twice is clearing.
    @retry(
        retry=retry_if_exception_type(requests.ConnectionError)
        | retry_if_result(lambda answer: answer.status_code >= 500),
        stop=stop_after_delay(30),
        wait=wait_fixed(1),
        retry_error_callback=_give_last_answer,
    )
    def _request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self._session.request(method, f"{self._root}/api/v2{path}", timeout=60, **arguments)

    def list_dags(self) -> dict[str, bool]:
        """Every DAG that the processor has read, and whether it is paused."""
        return {dag["dag_id"]: dag["is_paused"] for dag in self._pages("/dags", "dags")}

    def list_import_errors(self) -> list[str]:
        return [
            f"{error['filename']}: {error['stack_trace']}" for error in self._pages("/importErrors", "import_errors")
        ]

    def start_run(self, dag_id: str, run_id: str, at: datetime) -> None:
        """Starts a run whose logical date is the moment's (idempotent: a run that exists stays as it is)."""
        moment = at.astimezone(UTC).isoformat()
        body = {
            "dag_run_id": run_id,
            "logical_date": moment,
            "data_interval_start": moment,
            "data_interval_end": moment,
        }
        self.call("POST", f"/dags/{dag_id}/dagRuns", json=body, ok=(409,))

    def list_runs(self, dag_id: str = "~") -> list[dict[str, Any]]:
        """All runs, oldest first."""
        return list(self._pages(f"/dags/{dag_id}/dagRuns", "dag_runs", order_by="run_after"))

    def read_state(self, dag_id: str, run_id: str) -> str:
        state: str = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
        return state

    def list_tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return list(self._pages(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances"))

    def list_children(self, dag_id: str, run_id: str) -> tuple[set[tuple[str, str]], bool]:
        """The runs that this run's decisions have started, and whether all of them have been created yet."""
        children: set[tuple[str, str]] = set()
        is_complete = True
        for event in self._pages("/assets/events", "asset_events", source_dag_id=dag_id, source_run_id=run_id):
            created = event.get("created_dagruns") or []
            if not created and str(event.get("uri", "")).startswith("safar://decisions/"):
                is_complete = False
            children.update((run["dag_id"], run["run_id"]) for run in created)
        return children, is_complete

    def clear_run(self, dag_id: str, run_id: str, task_ids: list[str] | None = None) -> int:
        """Clears all tasks of a run (or the named ones and what follows them); returns how many."""
        body: dict[str, Any] = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        if task_ids:
            body |= {"task_ids": task_ids, "include_downstream": True}
        cleared = self.call("POST", f"/dags/{dag_id}/clearTaskInstances", json=body)
        return int(cleared["total_entries"])

    def _pages(self, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self.call("GET", path, params={**query, "limit": 100, "offset": offset})
            yield from page[key]
            offset += len(page[key])
            if not page[key] or offset >= page["total_entries"]:
                return
