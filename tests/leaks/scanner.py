"""Looks for people and secrets where neither belongs: in files, and in the rows of a database.

What to look for is what the vendors told about people, from the raw tables. Each text is cut into what could be
an address, a number or a name, and the pieces are looked up, so a scan costs one pass however many people there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import psycopg
from psycopg import sql

EMAIL = re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(r"\+?\d[\d ()/.-]{6,}\d")
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
# A name in other letters than our own is nobody's ordinary word.
FOREIGN_NAME_LENGTH = 4
OWN_HOMES = ("postgres", "sandbox")
"""Below a home: the database's files and the simulated company, both of which may know people."""
SECRET_HOMES = ("logins.json", "keys.json", "airflow-keys.json", "passwords.json", "postgres.password")


@dataclass
class Wanted:
    """What must not be found."""

    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    foreign_names: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)

    def add_person(self, email: str | None, phone: str | None, first: str | None, last: str | None) -> None:
        if email and "@" in email:
            self.emails.add(email.strip().lower())
        if phone:
            self.phones.add(_digits(phone))
        names = [name.strip().lower() for name in (first, last) if name and name.strip()]
        if len(names) == 2:
            self.names |= {(names[0], names[1]), (names[1], names[0])}
        self.foreign_names |= {name for name in names if not name.isascii() and len(name) >= FOREIGN_NAME_LENGTH}

    def find(self, text: str) -> set[str]:
        """What of it is in the text, by kind and value."""
        found = {f"secret of {len(secret)} letters" for secret in self.secrets if secret in text}
        text = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text).lower()
        found |= {f"address {one}" for one in EMAIL.findall(text) if one.replace("%40", "@") in self.emails}
        found |= {f"phone {one}" for one in PHONE.findall(text) if _digits(one) in self.phones}
        words = WORD.findall(text)
        found |= {f"name {one[0]} {one[1]}" for one in pairwise(words) if one in self.names}
        return found | {f"name {one}" for one in self.foreign_names & set(words)}


def read_people(dsn: str) -> Wanted:
    """Everybody whom the vendors told us of, in every version, as they spell them."""
    wanted = Wanted()
    with psycopg.connect(dsn) as connection:
        for statement in (
            "select properties__email, properties__phone, properties__firstname, properties__lastname "
            "from raw_hubspot.contacts",
            "select email, phone, first_name, last_name from raw_shopify.customers",
        ):
            for row in connection.execute(statement):  # type: ignore[call-overload]
                wanted.add_person(*row)
    return wanted


def read_secrets(home: Path) -> set[str]:
    """The secrets of this installation that are generated, from the files in which they live."""
    secrets: set[str] = set()
    for path in home.rglob("*"):
        if path.name in SECRET_HOMES:
            text = path.read_text()
            secrets |= set(json.loads(text).values()) if path.suffix == ".json" else {text.strip()}
    return secrets


def scan_folder(wanted: Wanted, folder: Path, left_out: Iterable[str] = ()) -> dict[str, set[str]]:
    """What was found, by file."""
    leaks: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and parts[0] not in left_out and path.name not in SECRET_HOMES:
            found = wanted.find(path.read_bytes().decode(errors="replace"))
            if found:
                leaks["/".join(parts)] = found
    return leaks


def scan_database(wanted: Wanted, dsn: str) -> dict[str, set[str]]:
    """What was found in any column of any table, by table and column."""
    leaks: dict[str, set[str]] = {}
    with psycopg.connect(dsn) as connection:
        for schema, table in connection.execute(
            "select schemaname, tablename from pg_catalog.pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2"
        ).fetchall():
            cursor = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, table)))
            names = [column.name for column in cursor.description or []]
            for row in cursor:
                for name, value in zip(names, row, strict=True):
                    found = wanted.find(_write(value))
                    if found:
                        leaks.setdefault(f"{schema}.{table}.{name}", set()).update(found)
    return leaks


def count_rows(dsn: str, tables: Iterable[str]) -> Iterator[int]:
    """How many rows there were to scan."""
    with psycopg.connect(dsn) as connection:
        for table in tables:
            row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
            yield row[0] if row else 0


def _write(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)
