"""Judges what crosses a border with Great Expectations: raw tables coming in, messages going out."""

from safar.quality.expectations import CheckFailed, Finding, SuiteResult, run_suite

__all__ = ["CheckFailed", "Finding", "SuiteResult", "run_suite"]
