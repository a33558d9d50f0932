"""Serves a folder of rendered pages on loopback."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _QuietRequests(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""


def serve_folder(folder: Path, port: int) -> None:
    """Serves the folder until interrupted."""
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_QuietRequests, directory=str(folder))) as server:
        server.serve_forever()
