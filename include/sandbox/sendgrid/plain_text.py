"""What a mail program shows of HTML: its text, its links and its preheader."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_INVISIBLE = frozenset({"head", "style", "script", "title", "template"})
_BREAKING = frozenset(
    {
        "p",
        "div",
        "br",
        "tr",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "ul",
        "ol",
        "section",
        "header",
        "footer",
        "hr",
    }
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_hides = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|max-height\s*:\s*0", re.IGNORECASE)


@dataclass
class ReadMail:
    """What was read out of one HTML document."""

    text: str = ""
    preheader: str = ""
    links: list[str] = field(default_factory=list)


def read_html(html: str) -> ReadMail:
    """Reads visible text, http links in order, and the preheader: the first hidden text, else the first visible."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.shown).split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    hidden = " ".join("".join(reader.hidden).replace("\u200c", "").replace("\xa0", " ").split())
    first_line = next((line for line in text.split("\n") if line), "")
    return ReadMail(text, hidden or first_line, reader.links)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self.links: list[str] = []
        self._hidden_at: list[str] = []
        self._invisible_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "a" and (attributes.get("href") or "").startswith(("http://", "https://")):
            self.links.append(attributes["href"] or "")
        if tag in _INVISIBLE:
            self._invisible_depth += 1
        elif tag not in _VOID and (self._hidden_at or _hides.search(attributes.get("style") or "")):
            self._hidden_at.append(tag)
        elif tag in _BREAKING:
            self.shown.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _INVISIBLE:
            self._invisible_depth = max(0, self._invisible_depth - 1)
        elif tag in self._hidden_at:
            while self._hidden_at.pop() != tag:
                pass
        elif tag in _BREAKING:
            self.shown.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._invisible_depth:
            (self.hidden if self._hidden_at else self.shown).append(data)
