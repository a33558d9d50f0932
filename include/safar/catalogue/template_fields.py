"""Which values a template takes from its audience: the names between its braces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# What delivery itself puts beside the audience's columns.
PROVIDED = frozenset({"unsubscribe_url", "preferences_url", "confirm_url", "company"})

COMMENT = re.compile(r"\{\{!--.*?--\}\}|\{\{![^}]*\}\}|<!--.*?-->", re.DOTALL)
TAG = re.compile(r"\{\{\{?~?\s*([^{}]+?)\s*~?\}\}\}?")
INCLUDE = re.compile(r"""<mj-include[^>]*\bpath\s*=\s*["']([^"']+)["']""")
WORD = re.compile(r""""[^"]*"|'[^']*'|\([\w-]+|\bas\s*\|[^|]*\||[\w@./\-]+(?:=)?""")
LITERAL = re.compile(r"""["'(].*|-?\d+(\.\d+)?|true|false|null|undefined|this|.*=|as\s*\|.*|[./]+""")
SCOPES = ("each", "with")
RAW = re.compile(r"\{\{\s*~?\s*[{&]")
LINK_ATTRIBUTE = re.compile(r"""\b(?:href|src)\s*=\s*["']?\s*\{\{~?\s*([\w.]+)""")
LINK_NAME = re.compile(r"(^|[_.])url$")


def list_locales(templates: Path, template: str) -> list[str]:
    """The locales in which a template is written, from the files in its folder."""
    return sorted(path.stem for path in (templates / template).glob("*.mjml"))


def list_fields(templates: Path, template: str) -> dict[str, Path]:
    """The fields that a template needs in any of its locales, each with a file that needs it."""
    fields: dict[str, Path] = {}
    for path in sorted((templates / template).glob("*.mjml")):
        for name in scan_fields(_read_with_includes(path, depth=0)):
            fields.setdefault(name, path)
    return {name: path for name, path in fields.items() if name not in PROVIDED}


def find_raw_output(path: Path, depth: int = 0) -> Iterator[str]:
    """Where a template, or what it includes, would write a value unescaped or link to what is no link."""
    if depth > 5 or not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if found := RAW.search(line):
            yield (
                f"{path}:{number}: {found[0]!r} writes a value without escaping it. Write {{{{name}}}}; a value "
                "cannot bring HTML of its own."
            )
        for name in LINK_ATTRIBUTE.findall(line):
            if not LINK_NAME.search(name):
                yield (
                    f"{path}:{number}: {{{{{name}}}}} is the target of a link, but only fields named url or "
                    f"ending in _url are checked to be links. Name the audience's column {name}_url."
                )
        for name in INCLUDE.findall(line):
            yield from find_raw_output(path.parent / name, depth + 1)


def scan_fields(text: str) -> list[str]:
    """The top-level names that Handlebars looks up while it renders ``text``, in order."""
    names: dict[str, None] = {}
    blocks: list[str] = []
    for match in TAG.finditer(COMMENT.sub("", text)):
        tag = match[1]
        if tag.startswith("/"):
            del blocks[-1:]
            continue
        depth = sum(block in SCOPES for block in blocks)
        names.update(dict.fromkeys(_names_in(tag, depth)))
        if tag.startswith("#"):
            blocks.append(tag[1:].split(maxsplit=1)[0])
    return list(names)


def _names_in(tag: str, depth: int) -> Iterator[str]:
    words = WORD.findall(tag.lstrip("#^&>").strip())
    if words and words[0] == "else":
        words = words[1:]
    is_call = len(words) > 1 or tag.startswith("#")
    for word in words[1:] if is_call else words:
        name = _root_name(word, depth)
        if name is not None:
            yield name


def _root_name(word: str, depth: int) -> str | None:
    """The audience's column behind a path, or None for a literal or a name of an inner scope."""
    if LITERAL.fullmatch(word):
        return None
    if word.startswith("@root."):
        return word.split(".")[1]
    ups = word.count("../")
    if word.startswith("@") or ups < depth:
        return None
    first = word.replace("../", "").removeprefix("this.").removeprefix("./").split(".")[0]
    return first or None


def _read_with_includes(path: Path, depth: int) -> str:
    text = path.read_text(encoding="utf-8")
    if depth == 5:
        return text
    for name in INCLUDE.findall(text):
        included = path.parent / name
        if included.is_file():
            text += _read_with_includes(included, depth + 1)
    return text
