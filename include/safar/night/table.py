"""The table that a night ends with."""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from safar.night.figures import NightFigures


def print_figures(figures: NightFigures, console: Console) -> None:
    """Prints the night's figures: rows per source, events of apps, people per stage, what became of each campaign."""
    parts = (_draw_sources, _tell_undeclared, _draw_apps, _draw_stages, _draw_campaigns, _draw_proof)
    console.print(Group(*(draw(figures) for draw in parts)))


def _draw_sources(figures: NightFigures) -> Table:
    table = _begin("Rows per source", "source", "loads", "new", "changed", "deleted", "quarantined")
    for name, source in figures.sources.items():
        counts = (source.loads, source.new, source.changed, source.deleted, source.quarantined)
        if not source.is_connected:
            table.add_row(name, "not connected", style="dim")
            continue
        table.add_row(name, *(f"{count:,}" for count in counts))
        if source.put_off_until is not None:
            table.add_row("", f"put off until {source.put_off_until:%d %b %H:%M} UTC", style="yellow")
    return table


def _tell_undeclared(figures: NightFigures) -> Group:
    return Group(
        *(
            Text(
                f"{name}: columns that nobody has declared (they landed as text): {', '.join(source.undeclared)}",
                "yellow",
            )
            for name, source in figures.sources.items()
            if source.undeclared
        )
    )


def _draw_apps(figures: NightFigures) -> Text:
    told = ", ".join(f"{count:,} of {name}" for name, count in figures.app_events.items()) or "none"
    return Text(
        f"App and web events: {told}; {figures.app_bot_events:,} of bots besides; "
        f"{figures.sessions:,} sessions by the last nightly build."
    )


def _draw_stages(figures: NightFigures) -> Table:
    table = _begin("People per stage", "axis", "stage", "people")
    for axis, stages in figures.stages.items():
        for stage, people in stages.items():
            table.add_row(axis, stage, f"{people:,}")
    return table


def _draw_campaigns(figures: NightFigures) -> Table:
    columns = ("campaign", "candidates", "outcomes", "messages", "delivered", "opened", "clicked", "orders")
    table = _begin("Campaigns", *columns)
    for name, campaign in figures.campaigns.items():
        table.add_row(
            name,
            f"{campaign.candidates:,}",
            _list_counts(campaign.outcomes),
            _list_counts(campaign.messages),
            *(f"{count:,}" for count in (campaign.delivered, campaign.opened, campaign.clicked, campaign.orders)),
        )
    return table


def _draw_proof(figures: NightFigures) -> Text:
    at_provider = "not asked" if figures.mails_at_provider is None else f"{figures.mails_at_provider:,}"
    line = (
        f"Mails accepted: {at_provider} by the provider's count, {figures.messages_accepted:,} in the ledger, "
        f"{figures.deliveries_accepted:,} in fct_deliveries"
        + (f", {figures.accepted_since_build:,} since its build" if figures.accepted_since_build else "")
        + f"; written to twice: {figures.duplicates_at_provider or 0}."
    )
    return Text(line, style="green" if figures.is_in_agreement else "bold red")


def _begin(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        is_number = column not in {"source", "axis", "stage", "campaign", "outcomes", "messages"}
        table.add_column(column, justify="right" if is_number else "left")
    return table


def _list_counts(counts: dict[str, int]) -> str:
    return "\n".join(f"{name} {count:,}" for name, count in counts.items()) or "-"
