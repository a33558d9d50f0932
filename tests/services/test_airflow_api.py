"""What the driver of nights does when Airflow's API has a bad moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from safar.errors import SafarError
from safar.night.airflow_api import AirflowApi


class Api(ThreadingHTTPServer):
    """An Airflow that answers these statuses one after the other, and 200 from then on."""

    statuses: list[int]
    asked: list[str]


class Answering(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        is_login = self.path == "/auth/token"
        status = 200 if is_login or not self.server.statuses else self.server.statuses.pop(0)
        body = json.dumps({"access_token": "T"} if is_login else {"total_entries": 3}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(("127.0.0.1", 0), Answering) as server:
        server.statuses, server.asked = [], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def log_in(api: Api) -> AirflowApi:
    return AirflowApi(f"http://127.0.0.1:{api.server_port}", "admin", "secret")


def test_what_its_database_refused_once_is_asked_again(api: Api) -> None:
    api.statuses = [500, 503]
    assert log_in(api).clear_run("build_nightly", "tonight") == 3
    assert api.asked[1:] == ["/api/v2/dags/build_nightly/clearTaskInstances"] * 3


def test_what_is_wrong_is_an_error_at_once(api: Api) -> None:
    api.statuses = [404]
    with pytest.raises(SafarError, match="Airflow answered 404 to POST /dags/build_nightly/clearTaskInstances"):
        log_in(api).clear_run("build_nightly", "tonight")
    assert len(api.asked) == 2
