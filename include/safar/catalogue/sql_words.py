"""A model's SQL as words and groups in parentheses, with Jinja reduced to the names in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

Word = str


class Group(tuple["Word | Group", ...]):
    """What stands between two parentheses."""


COMMENT = re.compile(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*", re.DOTALL)
STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)
EXPRESSION = re.compile(r"(?P<before>[\w.]?)\{\{-?(?P<inside>.*?)-?\}\}(?P<after>\w?)", re.DOTALL)
MODEL = re.compile(r"""^\s*ref\(\s*(?:['"]\w+['"]\s*,\s*)?['"](\w+)['"]""")
TABLE = re.compile(r"""^\s*\w+\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]""")
NAME = re.compile(r"[A-Za-z_][\w.]*")
TEXT = re.compile(r"'(?:[^']|'')*'")
CAST = re.compile(r"::\s*\w+(?:\[\])?")
WORD = re.compile(r'"[^"]*"(?:\."[^"]*")*|[A-Za-z_][\w.$]*(?:\.\*)?|[*(),]')
NOT_NAMES = frozenset({"select", "from", "with", "as", "union", "where", "join"})


def read_words(sql: str, macros: Mapping[str, Collection[str]], tables: Collection[str]) -> Group:
    """Reads a file's SQL.

    ``{{ ref('x') }}`` becomes the word ``x``; a call whose first two arguments name one of ``tables`` (``source``,
    ``as_known``) the word ``source.table``; any other expression a group of all names in it and in the macros it calls.
    """
    text = STATEMENT.sub(" ", COMMENT.sub(" ", sql))
    text = EXPRESSION.sub(lambda match: _reduce(match, macros, tables), text)
    return _group(WORD.findall(CAST.sub(" ", TEXT.sub(" ", text))))


def name_macros(texts: Collection[str]) -> dict[str, frozenset[str]]:
    """Macro -> the names in its body, those of the macros that it calls included."""
    bodies: dict[str, set[str]] = {}
    for text in texts:
        pieces = re.split(r"\{%-?\s*macro\s+(\w+)", COMMENT.sub(" ", text))
        for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
            bodies.setdefault(name, set()).update(word.lower() for word in NAME.findall(body))
    while True:
        added = False
        for words in bodies.values():
            more = {inner for word in words & bodies.keys() for inner in bodies[word]} - words
            words |= more
            added = added or bool(more)
        if not added:
            return {name: frozenset(words) for name, words in bodies.items()}


def _reduce(match: re.Match[str], macros: Mapping[str, Collection[str]], tables: Collection[str]) -> str:
    before, inside, after = match["before"], match["inside"], match["after"]
    if before.strip(".") or after:
        return f"{before}{after}"  # a name put together, such as round_{{ n }}
    relation = _name_relation(inside, tables)
    if relation:
        return f"{before} {relation} "
    words = {word.lower() for word in NAME.findall(inside)}
    words |= {inner for word in words & macros.keys() for inner in macros[word]}
    return f"{before} ({' '.join(sorted(words - NOT_NAMES))}) "


def _name_relation(inside: str, tables: Collection[str]) -> str | None:
    if model := MODEL.match(inside):
        return model[1]
    table = TABLE.match(inside)
    name = f"{table[1]}.{table[2]}" if table else ""
    return name if name in tables else None


def _group(words: list[str]) -> Group:
    stack: list[list[Word | Group]] = [[]]
    for word in words:
        if word == "(":
            stack.append([])
        elif word == ")" and len(stack) > 1:
            inner = Group(stack.pop())
            stack[-1].append(inner)
        elif word != ")":
            stack[-1].append(word.replace('"', "").lower())
    while len(stack) > 1:
        inner = Group(stack.pop())
        stack[-1].append(inner)
    return Group(stack[0])
