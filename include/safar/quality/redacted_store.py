"""Keeps validation results without the values that were judged: Data Docs hold no personal data."""

from __future__ import annotations

import copy
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context.store.validation_results_store import ValidationResultsStore

# Counts and shares; everything else in a result may repeat a value from a row.
KEPT = frozenset(
    {
        "element_count",
        "missing_count",
        "missing_percent",
        "unexpected_count",
        "unexpected_percent",
        "unexpected_percent_nonmissing",
        "unexpected_percent_total",
    }
)


class RedactedResultsStore(ValidationResultsStore):  # type: ignore[misc, unused-ignore]
    """Writes each result with its counts only. Great Expectations finds it by its module's name."""

    def set(self, key: Any, value: Any, **kwargs: Any) -> Any:
        return super().set(key, redact(value), **kwargs)


def redact(results: ExpectationSuiteValidationResult) -> ExpectationSuiteValidationResult:
    """Returns a copy that holds counts and numbers, but no value, row or query."""
    redacted = copy.deepcopy(results)
    for result in redacted.results:
        details = result.result or {}
        kept = {name: value for name, value in details.items() if name in KEPT}
        observed = details.get("observed_value")
        if isinstance(observed, int | float):
            kept["observed_value"] = observed
        result.result = kept
        if result.exception_info and result.exception_info.get("raised_exception") is not False:
            result.exception_info = {
                "raised_exception": True,
                "exception_message": "The rule could not be evaluated; the task's log names the reason.",
                "exception_traceback": "",
            }
    redacted.meta.pop("batch_spec", None)  # type: ignore[misc, unused-ignore]
    return redacted
