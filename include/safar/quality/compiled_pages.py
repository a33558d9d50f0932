"""Pages of Data Docs whose templates are compiled once: that was most of what a check cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import FileSystemBytecodeCache


class CompiledPageView(DefaultJinjaPageView):  # type: ignore[misc, unused-ignore]
    """Keeps compiled templates in a folder, which is made when missing."""

    def __init__(self, template_cache: str, **settings: Any) -> None:
        super().__init__(**settings)
        Path(template_cache).mkdir(parents=True, exist_ok=True)
        self.env.bytecode_cache = FileSystemBytecodeCache(template_cache)


class CompiledIndexView(CompiledPageView, DefaultJinjaIndexPageView):  # type: ignore[misc, unused-ignore]
    """The index of all pages."""
