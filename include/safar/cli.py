"""The command `safar`."""

from __future__ import annotations

import os
import pwd
import sys
from datetime import UTC, datetime
from getpass import getuser
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
Campaign = Annotated[str | None, typer.Option(help="Only this campaign.")]
Channel = Annotated[str | None, typer.Option(help="Only this channel.")]
Seed = Annotated[int, typer.Option(envvar="SEED", help="The same seed makes the same company.")]
Sources = Annotated[
    str,
    typer.Option(
        envvar="SOURCES", help="Sources to connect, separated by commas, or all.", show_default="the usual three"
    ),
]


@app.command()
def run(people: People = 10_000, nights: Nights = 1, seed: Seed = 1, sources: Sources = "") -> None:
    """Play a night of the simulated company through Airflow, print its figures, stop everything."""
    from safar.night.play import play_through_airflow

    raise typer.Exit(play_through_airflow(people=people, nights=nights, seed=seed, sources=sources, stay=False))


@app.command()
def up(people: People = 10_000, nights: Nights = 1, seed: Seed = 1, sources: Sources = "") -> None:
    """Play a night like `safar run`, then stay: the addresses of Airflow, docs and mailbox are printed."""
    from safar.night.play import play_through_airflow

    raise typer.Exit(play_through_airflow(people=people, nights=nights, seed=seed, sources=sources, stay=True))


@app.command()
def down() -> None:
    """Stop what `safar up` left running."""
    from safar.night.play import stop_running

    typer.echo(stop_running(Settings.from_environment().home))


@app.command()
def night(people: People = 10_000, nights: Nights = 1, seed: Seed = 1, sources: Sources = "") -> None:
    """Play nights in one process, by the functions that the operators call, without Airflow."""
    from safar.night.play import play_in_process

    raise typer.Exit(play_in_process(people=people, nights=nights, seed=seed, sources=sources))


@app.command()
def extract(
    source: Annotated[str, typer.Argument(help="The source's name, like hubspot.")],
    since: Annotated[str, typer.Option(help="Ask again from this date (or moment, UTC) on.")] = "",
    until: Annotated[str, typer.Option(help="Up to the end of this date, or this moment; now when left out.")] = "",
    night: Annotated[str, typer.Option(help="Ask again for what the load of this night asked for.")] = "",
    table: Annotated[str, typer.Option(help="Only this table; with --since or --night.")] = "",
) -> None:
    """Land what has changed at a source and check it; or ask again for a window or a night, as often as you like."""
    from safar.catalogue import load_catalogue
    from safar.erasure import resume_erasures
    from safar.extraction import check_load, land_source, read_repull
    from safar.workspace import Workspace

    workspace = Workspace.open()
    catalogue = load_catalogue(workspace.settings)
    if source not in catalogue.sources:
        raise SafarError(f"There is no source {source!r}. Declared are {', '.join(sorted(catalogue.sources))}.")
    declared = catalogue.sources[source]
    landed = land_source(workspace, declared, repull=read_repull(since, until, night, table))
    check_load(workspace, declared, landed.load_id)
    typer.echo(landed.describe())
    typer.echo(resume_erasures(workspace, catalogue).describe())


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


Subject = Annotated[
    str | None, typer.Option("--contact", help="A contact_id. Left out, one address is read from standard input.")
]
Reason = Annotated[str, typer.Option(help="Why, in one name such as deceased or asked_by_letter.")]


@app.command()
def suppress(reason: Reason, contact: Subject = None) -> None:
    """Never write to a person (or an address on standard input) again, until it is lifted."""
    from safar.permission import suppress_address, suppress_contact
    from safar.workspace import Workspace

    workspace = Workspace.open()
    if contact is not None:
        count = suppress_contact(workspace, contact, reason)
    else:
        count = suppress_address(workspace, sys.stdin.readline(), reason)
    typer.echo(f"{count} addresses newly suppressed." if count else "Nothing to do: suppressed already.")


@app.command()
def unsuppress(reason: Reason, contact: Subject = None) -> None:
    """Lift every suppression of a person (or of an address on standard input); an erasure is never lifted."""
    from safar.permission import unsuppress_address, unsuppress_contact
    from safar.workspace import Workspace

    workspace = Workspace.open()
    if contact is not None:
        count = unsuppress_contact(workspace, contact, reason)
    else:
        count = unsuppress_address(workspace, sys.stdin.readline(), reason)
    typer.echo(f"{count} suppressions lifted." if count else "Nothing to do: nothing is in force.")


@app.command()
def pause(
    reason: Annotated[str, typer.Option(help="Why: what the next person on call reads.")],
    campaign: Campaign = None,
    channel: Channel = None,
) -> None:
    """Stop sending from the next claim on: everything, one campaign, one channel, or one campaign on one channel."""
    from safar.delivery import describe_scope, pause_sending
    from safar.workspace import Workspace

    pause_sending(Workspace.open(), reason=reason, created_by=getuser(), campaign=campaign, channel=channel)
    typer.echo(f"Paused: {describe_scope(campaign, channel)}. What is planned waits until it is too old.")


@app.command()
def resume(campaign: Campaign = None, channel: Channel = None) -> None:
    """Lift the pauses of exactly this scope, those of the circuit breaker included."""
    from safar.delivery import list_pauses, resume_sending
    from safar.workspace import Workspace

    workspace = Workspace.open()
    lifted = resume_sending(workspace, lifted_by=getuser(), campaign=campaign, channel=channel)
    for one in lifted:
        typer.echo(f"Lifted: {one.describe()}")
    if not lifted:
        typer.echo("No pause of exactly this scope stands.")
    for one in list_pauses(workspace):
        typer.echo(f"Still paused: {one.describe()}")


@app.command()
def pauses() -> None:
    """List every pause that stands, and why."""
    from safar.delivery import list_pauses
    from safar.workspace import Workspace

    standing = list_pauses(Workspace.open())
    for one in standing:
        typer.echo(one.describe())
    if not standing:
        typer.echo("Nothing is paused.")


@app.command()
def approve(campaign: Annotated[str, typer.Argument(help="The campaign's name.")]) -> None:
    """Let a campaign reach more real people than its first few; its owner may not."""
    from safar.catalogue import load_catalogue
    from safar.delivery import approve_first_live
    from safar.workspace import Workspace

    workspace = Workspace.open()
    typer.echo(approve_first_live(workspace, campaign, load_catalogue(workspace.settings), list_own_names()).describe())


@app.command()
def migrate(
    logins: Annotated[
        bool, typer.Option(help="Also create the logins that the connections name, each with its rights.")
    ] = False,
) -> None:
    """Bring the ledger's schema to the newest revision, as its owner (connection safar_ledger_owner)."""
    from safar.ledger.logins import ensure_own_logins
    from safar.ledger.migration import migrate_ledger
    from safar.workspace import LEDGER_OWNER, Workspace

    workspace = Workspace.open()
    migrate_ledger(workspace.connections.get(LEDGER_OWNER).dsn)
    typer.echo("The ledger is up to date.")
    if logins:
        typer.echo(f"Logins: {', '.join(ensure_own_logins(workspace))}.")


@app.command()
def explain(
    subject: Annotated[str | None, typer.Argument(help="A contact_id or a message_id; never an address.")] = None,
    address_from_stdin: Annotated[
        bool, typer.Option(help="Read an e-mail address from standard input instead.")
    ] = False,
) -> None:
    """Tell the whole story of a person or a message, in order of time. Each use is logged."""
    from safar.audit.explaining import explain as collect
    from safar.audit.explaining import print_story
    from safar.workspace import Workspace

    address = sys.stdin.readline().strip() if address_from_stdin else None
    story = collect(Workspace.open(), None if address_from_stdin else subject, address=address)
    print_story(story, Console(width=None if sys.stdout.isatty() else 200))


@app.command()
def replay(run_id: Annotated[str, typer.Argument(help="A run_id of ledger.run, like build_nightly/...")]) -> None:
    """Decide a past run again, from what it was pinned to, and compare. The exit code is 1 when a row differs."""
    from safar.audit import replay_run
    from safar.catalogue import load_catalogue
    from safar.workspace import Workspace

    workspace = Workspace.open()
    report = replay_run(workspace, load_catalogue(workspace.settings), run_id)
    typer.echo(report.describe())
    raise typer.Exit(1 if report.differing_count else 0)


@app.command()
def erase(
    contact: Annotated[str | None, typer.Option(help="The contact_id of the person; never an address.")] = None,
    address_from_stdin: Annotated[
        bool, typer.Option(help="Read an e-mail address from standard input instead.")
    ] = False,
    status: Annotated[bool, typer.Option(help="List the erasures that are not finished, and why.")] = False,
    reapply: Annotated[bool, typer.Option(help="After a restore: erase again whom the backup brought back.")] = False,
) -> None:
    """Erase a person everywhere, here and at the vendors. The exit code is 1 while something could not be done."""
    from safar.catalogue import load_catalogue
    from safar.erasure import describe_open, erase_address, erase_contact, reapply_erasures
    from safar.workspace import Workspace

    if sum(map(bool, (contact, address_from_stdin, status, reapply))) != 1:
        raise SafarError("Give one of --contact, --address-from-stdin, --status and --reapply.")
    workspace = Workspace.open()
    if status:
        typer.echo(describe_open(workspace))
        return
    catalogue = load_catalogue(workspace.settings)
    if contact:
        report = erase_contact(workspace, catalogue, contact)
    elif reapply:
        report = reapply_erasures(workspace, catalogue)
    else:
        report = erase_address(workspace, catalogue, sys.stdin.readline().strip())
    typer.echo(report.describe())
    raise typer.Exit(1 if report.waiting else 0)


@app.command()
def export(
    contact: Annotated[str | None, typer.Option(help="The contact_id of the person; never an address.")] = None,
    address_from_stdin: Annotated[
        bool, typer.Option(help="Read an e-mail address from standard input instead.")
    ] = False,
) -> None:
    """Write all that is held about a person into a file that only you can read. Each use is logged."""
    from safar.catalogue import load_catalogue
    from safar.erasure import export_person
    from safar.workspace import Workspace

    if bool(contact) == address_from_stdin:
        raise SafarError("Give either --contact or --address-from-stdin.")
    workspace = Workspace.open()
    address = sys.stdin.readline().strip() if address_from_stdin else None
    for path in export_person(workspace, load_catalogue(workspace.settings), contact, address=address):
        typer.echo(f"Written: {path}")


@app.command()
def reconcile(
    since: Annotated[
        datetime | None, typer.Option(help="Ask the provider from this moment on (UTC); found when left out.")
    ] = None,
) -> None:
    """After a restore: account for what the provider took since the backup, then let sending go on."""
    from safar.catalogue import load_catalogue
    from safar.feedback import reconcile_ledger
    from safar.workspace import Workspace

    workspace = Workspace.open()
    moment = since.replace(tzinfo=UTC) if since else None
    typer.echo(reconcile_ledger(workspace, load_catalogue(workspace.settings), since=moment).describe())


def list_own_names() -> list[str]:
    """Every name of whoever runs this, the operating system's first: what the environment says anybody may set."""
    try:
        login = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # A container may run under a number without a name.
        login = str(os.getuid())
    try:
        return [login, getuser()]
    except (OSError, KeyError):
        return [login]


def main() -> None:
    """Runs the command line; an error that a user can act on is printed without a traceback."""
    try:
        app()
    except SafarError as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
