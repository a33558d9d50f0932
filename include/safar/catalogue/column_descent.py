"""Which columns of a query descend from marked ones, told from its SQL as it stands in the file, Jinja and all.

Names are followed through common table expressions, aliases, ``*``, expressions, macros' arguments and the positions
of a union. A query that chooses its rows by a marked column (``where``, ``join``, ``group by``) is marked as a whole:
its `ROWS`. In doubt a column counts as marked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from safar.catalogue.sql_words import Group, Word, read_words

ROWS = "*"
"""Stands for the rows themselves: which there are is told by a marked column."""
Marked = Mapping[str, str]
"""Column (or `ROWS`) -> the marked column that it descends from."""

CLAUSES = frozenset({"from", "where", "group", "having", "window", "order", "limit", "offset", "fetch", "qualify"})
UNIONS = frozenset({"union", "intersect", "except"})
AFTER_A_RELATION = (
    CLAUSES | UNIONS | {"on", "using", "join", "inner", "left", "right", "full", "cross", "lateral", "as"}
)


@dataclass(frozen=True)
class Descent:
    """What a query hands on, and what it only looks at."""

    columns: dict[str, str] = field(default_factory=dict)
    """Marked columns of its result, by name; `ROWS` among them."""
    uses: dict[str, str] = field(default_factory=dict)
    """Marked columns that it names anywhere."""


def trace_columns(
    sql: str, macros: Mapping[str, Collection[str]], tables: Collection[str], read: Callable[[str], Marked]
) -> Descent:
    """Follows the marked columns through one query.

    Args:
        macros: macro -> the words of its body; whoever calls it names them.
        tables: the tables with marked columns, as ``source.table``.
        read: the marked columns of a model or of one of these tables.
    """
    return _Query(read, {}).trace(read_words(sql, macros, tables))


@dataclass
class _Query:
    """One query with the relations that can be named in it."""

    read: Callable[[str], Marked]
    known: dict[str, Marked]

    def trace(self, group: Group) -> Descent:
        words = list(group)
        uses: dict[str, str] = {}
        known = dict(self.known)
        if words and words[0] == "with":
            # Twice: in a loop, or a recursion, one may read another that stands further down.
            self._read_common(words[1:], known, uses)
            words = self._read_common(words[1:], known, uses)
        selects = [_Select(self.read, known, part) for part in _cut(words, UNIONS)]
        columns: dict[str, str] = {}
        for select in selects:
            uses |= select.uses
            columns |= select.columns
        for select in selects[1:]:
            columns |= _take_places(selects[0], select)
        return Descent(columns, uses)

    def _read_common(
        self, words: list[Word | Group], known: dict[str, Marked], uses: dict[str, str]
    ) -> list[Word | Group]:
        """Reads ``name as (...), ...`` and returns what follows."""
        name = ""
        for position, word in enumerate(words):
            if isinstance(word, Group):
                inner = _Query(self.read, known).trace(word)
                known[name] = {**known.get(name, {}), **inner.columns}
                uses |= inner.uses
            elif word == "select":
                return words[position:]
            elif word not in ("as", ",", "recursive", "materialized", "not"):
                name = word
        return []


class _Select:
    """One ``select`` of a query."""

    def __init__(self, read: Callable[[str], Marked], known: Mapping[str, Marked], words: list[Word | Group]) -> None:
        self.columns: dict[str, str] = {}
        self.uses: dict[str, str] = {}
        self.places: list[tuple[str, str | None]] = []
        """Name and origin of each item, in order."""
        self._read, self._known = read, known
        end = next((at for at, word in enumerate(words) if word in CLAUSES), len(words))
        self._relations: dict[str, Marked] = {}
        clauses = self._take_relations(words[end:])
        for item in _cut(words[1:end], {","}):
            self._read_item(item)
        for origin in self._follow(clauses).values():
            self.columns.setdefault(ROWS, origin)
        for marked in self._relations.values():
            if ROWS in marked:
                self.columns.setdefault(ROWS, marked[ROWS])

    def _take_relations(self, words: list[Word | Group]) -> list[Word | Group]:
        """Notes what is read from, and returns all the other words after ``from``."""
        others: list[Word | Group] = []
        is_next = is_in_from = False
        for at, word in enumerate(words):
            if is_next and word != "lateral":
                alias = next((str(one) for one in words[at + 1 : at + 3] if one != "as"), "")
                named = "" if isinstance(word, Group) else word
                name = named if alias in AFTER_A_RELATION or not alias.isidentifier() else alias
                self._relations[name] = {**self._relations.get(name, {}), **self._open(word)}
            else:
                others.append(word)
            is_in_from = word == "from" or (is_in_from and word not in CLAUSES)
            is_next = word in ("from", "join") or (is_next and word == "lateral") or (is_in_from and word == ",")
        return others

    def _open(self, relation: Word | Group) -> Marked:
        if isinstance(relation, Group):
            if relation and relation[0] not in ("select", "with"):
                return self._read_any("")  # Jinja says which
            inner = _Query(self._read, dict(self._known)).trace(relation)
            self.uses |= inner.uses
            return inner.columns
        if relation in self._known:
            return self._known[relation]
        return self._read(relation) or (self._read_any(relation) if relation.endswith("_") else {})

    def _read_any(self, beginning: str) -> Marked:
        """Of a name that a loop puts together, such as ``round_{{ n }}``: any that begins like it."""
        alike = [marked for name, marked in self._known.items() if name.startswith(beginning)]
        return {name: origin for marked in alike for name, origin in marked.items()}

    def _read_item(self, item: list[Word | Group]) -> None:
        last = item[-1] if item else ""
        if isinstance(last, str) and last.split(".")[-1] == "*" and len(item) <= 2:
            for alias, marked in self._relations.items():
                if last in ("*", f"{alias}.*"):
                    self.columns |= {name: origin for name, origin in marked.items() if name != ROWS}
            self.places.append((ROWS, None))
            return
        has_alias = len(item) > 2 and item[-2] == "as"
        origin = next(iter(self._follow(item[:-2] if has_alias else item, takes_rows=True).values()), None)
        name = last.split(".")[-1] if isinstance(last, str) else ""
        self.places.append((name, origin))
        if origin is not None and name:
            self.columns[name] = origin

    def _follow(self, words: list[Word | Group], takes_rows: bool = False) -> dict[str, str]:
        """The marked columns that these words name.

        Args:
            takes_rows: a relation's name means its whole row, as in ``to_jsonb(people)``.
        """
        found: dict[str, str] = {}
        for word in words:
            if isinstance(word, Group):
                if word and word[0] in ("select", "with"):
                    inner = _Query(self._read, dict(self._known)).trace(word)
                    found |= inner.uses | inner.columns
                found |= self._follow(list(word), takes_rows)
            else:
                found |= self._look_up(word, takes_rows)
        self.uses |= found
        return found

    def _look_up(self, word: str, takes_rows: bool) -> dict[str, str]:
        if takes_rows and word in self._relations:
            return {name: origin for name, origin in self._relations[word].items() if name != ROWS}
        qualifier, _, name = word.rpartition(".")
        asked = [self._relations[qualifier]] if qualifier in self._relations else list(self._relations.values())
        origin = next((marked[name] for marked in asked if name in marked and name != ROWS), None)
        return {} if origin is None else {name: origin}


def _cut(words: list[Word | Group], at: Collection[str]) -> list[list[Word | Group]]:
    parts: list[list[Word | Group]] = [[]]
    for word in words:
        if isinstance(word, str) and word in at:
            parts.append([])
        elif not (isinstance(word, str) and word in ("all", "distinct") and not parts[-1]):
            parts[-1].append(word)
    return [part for part in parts if part]


def _take_places(first: _Select, other: _Select) -> dict[str, str]:
    """A union names its columns like its first query and fills them by position."""
    pairs = zip(first.places, other.places, strict=False)
    return {name: origin for (name, _), (_, origin) in pairs if origin is not None and name not in ("", ROWS)}
