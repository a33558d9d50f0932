"""Erasure, export and retention: what the company may know of a person, and for how long."""

from safar.erasure.erasing import (
    ErasureReport,
    describe_open,
    erase_address,
    erase_contact,
    reapply_erasures,
    resume_erasures,
)
from safar.erasure.exporting import export_person
from safar.erasure.journal import OpenErasure, list_open
from safar.erasure.retention import RetentionRule, apply_retention, read_retention

__all__ = [
    "ErasureReport",
    "OpenErasure",
    "RetentionRule",
    "apply_retention",
    "describe_open",
    "erase_address",
    "erase_contact",
    "export_person",
    "list_open",
    "read_retention",
    "reapply_erasures",
    "resume_erasures",
]
