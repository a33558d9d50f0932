"""``safar-sandbox``: starts the simulated company."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from sandbox.app import create_app
from sandbox.clock import parse_moment, write_moment
from sandbox.config import START, SandboxConfig

cli = typer.Typer(
    help="A simulated company: its CRMs, ads, shop and mail provider over HTTP, under one virtual clock and one seed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.callback()
def explain() -> None:
    """A simulated company: its CRMs, ads, shop and mail provider over HTTP, under one virtual clock and one seed."""


@cli.command()
def serve(
    home: Annotated[Path, typer.Option(help="Folder that keeps what happened since the start.")] = Path(".sandbox"),
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = 8700,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    people: Annotated[int, typer.Option(min=1, help="How many humans the company knows at its start.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Same seed, people and start: same company.")] = 1,
    start: Annotated[str, typer.Option(help="Where the virtual clock of a new company stands.")] = write_moment(START),
    shopify_rate: Annotated[
        int, typer.Option(help="Shopify's points per second: 100 Standard, 200 Advanced, 1000 Plus, 2000 Enterprise.")
    ] = 1000,
    limits: Annotated[bool, typer.Option(help="Whether vendors throttle; POST /limits changes it later.")] = True,
) -> None:
    """Serve the company's vendors, each below its name such as /hubspot or /google, until interrupted.

    GET /clock tells the virtual time and POST /clock moves it forward. POST /faults lets something go wrong;
    GET /faults lists what can. GET /mailbox shows the mails, GET /truth/summary what is really so.
    """
    try:
        listener = _listen(host, port)
    except OSError as error:
        raise _refuse(error) from error
    try:
        config = SandboxConfig(
            home, people, seed, parse_moment(start), shopify_restore_rate=shopify_rate, are_limits_on=limits
        )
        app = create_app(config)
    except ValueError as error:
        listener.close()
        raise _refuse(error) from error
    company = app.state.company
    url = f"http://{host}:{listener.getsockname()[1]}"
    typer.echo(f"{people:,} people, seed {seed}, clock at {write_moment(company.now)}, home {home}: {url}")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", timeout_graceful_shutdown=2))
    server.run(sockets=[listener])
    company.close()


def _refuse(reason: Exception) -> typer.Exit:
    typer.echo(f"The company cannot start: {reason}", err=True)
    return typer.Exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """Opens the port first: building a large company only to find it taken would waste a minute.

    Raises:
        OSError: the port is taken; says what to do.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"port {port} on {host} is taken; choose another with --port, or stop what uses it") from error
    listener.listen(2048)
    return listener


def main() -> None:
    """Runs the command line."""
    cli()


if __name__ == "__main__":
    main()
