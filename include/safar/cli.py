"""The command `safar`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from safar.errors import SafarError
from safar.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Lifecycle marketing on your own warehouse: extract, build, decide, deliver, learn.",
)

People = Annotated[int, typer.Option(min=50, envvar="PEOPLE", help="How many people the simulated company knows.")]
Nights = Annotated[int, typer.Option(min=1, max=366, envvar="NIGHTS", help="How many nights to play.")]
Seed = Annotated[int, typer.Option(envvar="SEED", help="The same seed makes the same company.")]


@app.command()
def run(people: People = 10_000, nights: Nights = 1, seed: Seed = 1) -> None:
    """Play a night of the simulated company through Airflow, print its figures, stop everything."""
    from safar.night.play import play_through_airflow

    raise typer.Exit(play_through_airflow(people=people, nights=nights, seed=seed, stay=False))


@app.command()
def up(people: People = 10_000, nights: Nights = 1, seed: Seed = 1) -> None:
    """Play a night like `safar run`, then stay: the addresses of Airflow, docs and mailbox are printed."""
    from safar.night.play import play_through_airflow

    raise typer.Exit(play_through_airflow(people=people, nights=nights, seed=seed, stay=True))


@app.command()
def down() -> None:
    """Stop what `safar up` left running."""
    from safar.night.play import stop_running

    typer.echo(stop_running(Settings.from_environment().home))


@app.command()
def night(people: People = 10_000, nights: Nights = 1, seed: Seed = 1) -> None:
    """Play nights in one process, by the functions that the operators call, without Airflow."""
    from safar.night.play import play_in_process

    raise typer.Exit(play_in_process(people=people, nights=nights, seed=seed))


@app.command()
def check() -> None:
    """Check every source, campaign and template that is declared, without a database."""
    from safar.catalogue import check_catalogue

    settings = Settings.from_environment()
    catalogue = check_catalogue(settings)
    typer.echo(f"{len(catalogue.sources)} sources and {len(catalogue.campaigns)} campaigns are well declared.")


@app.command()
def manifest() -> None:
    """Write dbt's manifest, which the DAG files read."""
    from safar.warehouse import write_manifest

    typer.echo(f"Written: {write_manifest(Settings.from_environment())}")


@app.command()
def docs(
    port: Annotated[int | None, typer.Option(help="Serve the docs on this port of 127.0.0.1.")] = None,
) -> None:
    """Build the dbt docs: who gets what, why, and whether it worked."""
    from safar.warehouse import write_docs
    from safar.workspace import Workspace

    folder = write_docs(Workspace.open())
    typer.echo(f"Written: {folder / 'index.html'}")
    if port is not None:
        from safar.services.pages import serve_folder

        typer.echo(f"Serving http://127.0.0.1:{port}/ (Ctrl-C ends it)")
        serve_folder(folder, port)


@app.command()
def intake(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8090,
) -> None:
    """Run the public web process: provider events and one-click unsubscribe."""
    from safar.intake import serve_intake
    from safar.workspace import Workspace

    serve_intake(Workspace.open(), host=host, port=port)


@app.command()
def migrate() -> None:
    """Bring the ledger's schema to the newest revision."""
    from safar.ledger.migration import migrate_ledger
    from safar.workspace import Workspace

    migrate_ledger(Workspace.open().ledger.dsn)
    typer.echo("The ledger is up to date.")


def main() -> None:
    """Runs the command line; an error that a user can act on is printed without a traceback."""
    try:
        app()
    except SafarError as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
