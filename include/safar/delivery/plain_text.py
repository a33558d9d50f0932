"""Derives the plain text of a mail from its HTML, with links written out. Handlebars stays as it is."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SKIPPED = frozenset({"head", "style", "script", "title"})
BREAKS = frozenset({"p", "div", "br", "tr", "table", "h1", "h2", "h3", "h4", "li", "hr"})
VALUE = re.compile(r"(?<!\{)\{\{([A-Za-z_][\w.]*)\}\}(?!\})")
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def read_plain_text(html: str) -> str:
    """The visible text, a blank line at most between two lines.

    Values are left as they are: `{{name}}` would turn the `&` of a link into `&amp;`, which only HTML reads back.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
    return VALUE.sub(r"{{{\1}}}", text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipped: list[str] = []
        self._link: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        # The preheader is a hidden div: it and what is in it is for the inbox alone.
        if self._skipped or tag in SKIPPED or (tag == "div" and HIDDEN.search(attributes.get("style") or "")):
            if tag in SKIPPED or tag == "div":
                self._skipped.append(tag)
            return
        if tag == "a":
            self._link = attributes.get("href")
        elif tag in BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag == self._skipped[-1]:
                self._skipped.pop()
        elif tag == "a" and self._link:
            self.parts.append(f" ({self._link})")
            self._link = None
        elif tag in BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(data)
