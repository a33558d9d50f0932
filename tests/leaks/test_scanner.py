"""The scanner finds what it is there to find, however it is written."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import psycopg
import pytest
from tests.leaks.scanner import Wanted, scan_database, scan_folder


@pytest.fixture
def wanted() -> Wanted:
    wanted = Wanted(secrets={"pa55-w0rd"})
    wanted.add_person(" Anna.Nasr12@Mail.Example.com ", "+49 555 0199 123456", "Anna", "Nasr")
    wanted.add_person("n@example.com", None, "نیلوفر", "کریمی")
    return wanted


@pytest.mark.parametrize(
    "text",
    [
        "bounced: anna.nasr12@mail.example.com.",
        "GET /people?email=ANNA.NASR12%40mail.example.com",
        'to="<anna.nasr12@mail.example.com>"',
        "call +49 (555) 0199-123456",
        "4955501991234560"[:-1],
        "Dear Anna Nasr,",
        '{"last": "Nasr", "first": "Anna"}'.replace('"first": ', ""),
        "NASR, ANNA",
        json.dumps({"name": "نیلوفر"}),
        "سلام نیلوفر!",
        "postgresql://u:pa55-w0rd@host/db",
    ],
)
def test_a_leak_is_found_in_a_file_and_in_a_row(wanted: Wanted, text: str, tmp_path: Path, database: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.log").write_text(f"2026-03-02 02:00:00 INFO {text} end")
    assert list(scan_folder(wanted, tmp_path)) == ["a/b.log"]
    with psycopg.connect(database) as connection:
        connection.execute("create table public.kept (as_text text, as_json jsonb, as_bytes bytea)")
        connection.execute("insert into public.kept values (%s, null, null)", [text])
        connection.execute("insert into public.kept values (null, %s, null)", [json.dumps({"deep": [text]})])
        connection.execute("insert into public.kept values (null, null, %s)", [text.encode()])
    assert scan_database(wanted, database).keys() == {
        "public.kept.as_text",
        "public.kept.as_json",
        "public.kept.as_bytes",
    }


def test_what_is_nobody_is_not_found(wanted: Wanted) -> None:
    text = f"Anna and Nasr are names; bob@example.com; 2026-03-02 02:00:00; {zlib.crc32(b'x')}; run clock__2026-03-02"
    assert wanted.find(text) == set()
