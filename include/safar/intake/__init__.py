"""The public web process: events of the provider, of apps and sites, one-click unsubscribe, preferences, double opt-in.

Nothing heavy is imported until the process starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from safar.workspace import Workspace


def create_app(workspace: Workspace) -> FastAPI:
    """Builds the intake: events, subscriptions, and the links of mails (unsubscribe, preferences, confirm).

    Raises:
        ConfigurationError: a key that it needs is missing.
    """
    from safar.intake.app import build_app

    return build_app(workspace)


def serve_intake(workspace: Workspace, host: str = "127.0.0.1", port: int = 8090) -> None:
    """Serves the intake until the process is told to stop. It is meant to stand behind a proxy with TLS."""
    from safar.intake.serving import serve_app

    serve_app(create_app(workspace), host, port)


__all__ = ["create_app", "serve_intake"]
