"""Runs one expectation suite over a query and tells which rows break which rule, by hashed keys only."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from safar.errors import ConfigurationError, SafarError
from safar.file_lock import hold_lock
from safar.quality.suite_files import read_expectations
from safar.workspace import Workspace

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

Severity = Literal["critical", "warning", "info"]

KEYS_SHOWN = 20
DATA_DOCS = "data_docs"
# GX keeps its current context in the process, so threads take turns.
ONE_AT_A_TIME = threading.Lock()
QUOTED = re.compile(r"'[^']*'|\"[^\"]*@[^\"]*\"")


class CheckFailed(SafarError):
    """What crosses a border is not plausible; the message names table, rule and hashed keys."""


@dataclass(frozen=True)
class Finding:
    """One rule that a table breaks."""

    table: str
    rule: str
    column: str | None
    severity: Severity
    unexpected_count: int
    key_hashes: tuple[str, ...] = ()
    """At most `KEYS_SHOWN` of the rows that break it; empty for a rule about the whole table."""
    observed: str | None = None
    """What a rule about the whole table found, when it is a number; or why the rule could not be evaluated."""

    def describe(self) -> str:
        text = f"{self.table}: {self.rule}" + (f"({self.column})" if self.column else "")
        text += f" [{self.severity}]"
        if self.unexpected_count:
            text += f" broken by {self.unexpected_count} rows"
        if self.key_hashes:
            text += ", keys " + " ".join(self.key_hashes)
        return text + (f", observed {self.observed}" if self.observed is not None else "")


@dataclass(frozen=True)
class SuiteResult:
    """What a suite said about one table."""

    table: str
    checked_count: int
    findings: tuple[Finding, ...]
    data_docs: Path

    @property
    def critical(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "critical")

    def require_success(self) -> None:
        """Raises:
        CheckFailed: a rule of severity critical is broken.
        """
        if self.critical:
            raise CheckFailed("\n".join([*(finding.describe() for finding in self.critical), f"See {self.data_docs}."]))

    def describe(self) -> str:
        if not self.findings:
            return f"{self.table}: all {self.checked_count} rules hold."
        return "\n".join(finding.describe() for finding in self.findings)


def run_suite(
    workspace: Workspace,
    suite: Path | Sequence[Path],
    *,
    dsn: str,
    table: str,
    query: str,
    run_name: str,
    key: str = "key_hash",
) -> SuiteResult:
    """Judges the rows of ``query`` and writes Data Docs, without a single value, under <home>/data_docs.

    Args:
        suite: one or several YAML files (see `safar.quality.suite_files`).
        dsn: postgresql:// URL over TCP of the database that the query runs in.
        table: how findings name the rows.
        query: must yield the column ``key``, a hash; it is all that is told about a row.
        run_name: names the run in Data Docs, for example the run id.

    Raises:
        ConfigurationError: a suite is missing or names an expectation or an argument that does not exist.
    """
    files = [suite] if isinstance(suite, Path) else list(suite)
    entries = read_expectations(files, table)
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    home = workspace.settings.home / DATA_DOCS
    home.mkdir(parents=True, exist_ok=True)
    with ONE_AT_A_TIME:
        context = _open_context(home)
        results, identifier = _validate(context, files, entries, dsn, table, query, run_name, key)
        # Two processes that build the index at once would each forget the other's page.
        with hold_lock(home / ".lock"):
            context.build_data_docs(resource_identifiers=[identifier])
    findings = tuple(_find(table, result, key) for result in results.results if not result.success)
    return SuiteResult(table, len(results.results), findings, home / "site" / "index.html")


def _open_context(home: Path) -> EphemeralDataContext:
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # With a configuration of our own it makes no second site of docs in a temporary folder.
    configuration = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(), progress_bars=ProgressBarsConfig(globally=False)
    )
    context = gx.get_context(mode="ephemeral", project_config=configuration)
    context.add_store(
        "results",
        {
            "class_name": "RedactedResultsStore",
            "module_name": "safar.quality.redacted_store",
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(home / "results"),
                "filepath_suffix": ".json",
            },
        },
    )
    context.variables.validation_results_store_name = "results"
    page = {
        "module_name": "safar.quality.compiled_pages",
        "class_name": "CompiledPageView",
        "template_cache": str(home / ".templates"),
    }
    context.add_data_docs_site(
        "local",
        {
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(home / "site")},
            "site_section_builders": {name: {"view": page} for name in ("expectations", "validations", "profiling")},
            "site_index_builder": {
                "class_name": "DefaultSiteIndexBuilder",
                "view": {**page, "class_name": "CompiledIndexView"},
            },
        },
    )
    return context


def _validate(
    context: EphemeralDataContext,
    files: Sequence[Path],
    entries: list[dict[str, Any]],
    dsn: str,
    table: str,
    query: str,
    run_name: str,
    key: str,
) -> tuple[ExpectationSuiteValidationResult, Any]:
    from great_expectations import Checkpoint, ExpectationSuite, ValidationDefinition
    from great_expectations.core.run_identifier import RunIdentifier

    suite = context.suites.add(ExpectationSuite(name=table, expectations=_build_expectations(entries, files, table)))
    url = dsn.replace("postgresql://", "postgresql+psycopg2://", 1)
    # Without a pool Great Expectations loses its connection between a statement and its rows.
    source = context.data_sources.add_postgres("border", connection_string=url)
    # It accepts only a query that begins with "select".
    rows = f"select * from (\n{query}\n) as judged"  # noqa: S608 - the query is our own
    batch = source.add_query_asset(table, query=rows).add_batch_definition_whole_table("all")
    definition = context.validation_definitions.add(ValidationDefinition(name=table, data=batch, suite=suite))
    checkpoint = context.checkpoints.add(
        Checkpoint(
            name=table,
            validation_definitions=[definition],
            result_format={
                "result_format": "SUMMARY",
                "unexpected_index_column_names": [key],
                "partial_unexpected_count": KEYS_SHOWN,
            },
        )
    )
    try:
        outcome = checkpoint.run(run_id=RunIdentifier(run_name=run_name.replace("/", " ")))
    finally:
        for opened in context.data_sources.all().values():
            opened.get_execution_engine().close()
            opened.get_engine().dispose()
    [(identifier, results)] = outcome.run_results.items()
    return results, identifier


def _build_expectations(entries: list[dict[str, Any]], files: Sequence[Path], table: str) -> list[Any]:
    """Builds each rule by itself: a suite that is given the entries logs one that it cannot read and drops it."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    built = []
    for entry in entries:
        try:
            built.append(ExpectationConfiguration(**{"kwargs": {}, **entry}).to_domain_obj())
        except Exception as error:  # There is no common class for what Great Expectations raises here.
            names = ", ".join(str(file) for file in files)
            raise ConfigurationError(
                f"{names}: the rule {entry['type']} for {table} is not one that Great Expectations knows: {error}"
            ) from error
    return built


def _find(table: str, result: Any, key: str) -> Finding:
    expectation = result.expectation_config
    details = result.result or {}
    indexes = details.get("partial_unexpected_index_list") or details.get("unexpected_index_list") or []
    keys = dict.fromkeys(str(index[key]) for index in indexes if isinstance(index, dict) and key in index)
    return Finding(
        table=table,
        rule=str((expectation.meta or {}).get("rule") or expectation.type),
        column=_name_column(expectation.kwargs),
        severity=getattr(expectation.severity, "value", expectation.severity) or "critical",
        unexpected_count=int(details.get("unexpected_count") or 0),
        key_hashes=tuple(keys)[:KEYS_SHOWN],
        observed=_explain(result, details),
    )


def _name_column(kwargs: dict[str, Any]) -> str | None:
    if "column_A" in kwargs:
        return f"{kwargs['column_A']}, {kwargs['column_B']}"
    columns = kwargs.get("column_list") or kwargs.get("column")
    return ", ".join(columns) if isinstance(columns, list) else columns


def _explain(result: Any, details: dict[str, Any]) -> str | None:
    observed = details.get("observed_value")
    if isinstance(observed, int | float):
        return str(observed)
    message = _first_exception(result.exception_info or {})
    return None if message is None else QUOTED.sub("'…'", message.splitlines()[0] if message else "an error")


def _first_exception(info: dict[str, Any]) -> str | None:
    """The message of the exception, which Great Expectations gives at the top or once per metric."""
    if info.get("raised_exception"):
        return str(info.get("exception_message") or "")
    nested = (value for value in info.values() if isinstance(value, dict))
    return next((message for value in nested if (message := _first_exception(value)) is not None), None)
