"""A disk with no room left for events: nothing is acknowledged that is not kept, and nothing is kept twice.

The room is a file system of 1 MB in memory that holds the tables of events alone. Making one needs root, as in CI;
conftest.py leaves this file out for others and says so.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

TABLES = ("provider_event", "app_event")


@pytest.fixture
def small_disk(database: str, ledger) -> Iterator[Callable[[str], None]]:
    """Puts the tables of events on a disk of 1 MB; gives the way to make the disk larger."""
    folder = Path("/mnt") / f"safar-{psycopg.conninfo.conninfo_to_dict(database)['dbname']}"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    name = folder.name.replace("-", "_")
    try:
        owner = ledger.execute("show data_directory").fetchone()["data_directory"]
        stat = Path(owner).stat()
        subprocess.run(["chown", f"{stat.st_uid}:{stat.st_gid}", str(folder)], check=True)
        ledger.execute(f"create tablespace {name} location '{folder}'")
        for table in TABLES:
            ledger.execute(f"alter table ledger.{table} set tablespace {name}")
        yield lambda size: subprocess.run(
            ["mount", "-o", f"remount,size={size}", str(folder)], check=True, capture_output=True
        )
        for table in TABLES:
            ledger.execute(f"alter table ledger.{table} set tablespace pg_default")
        ledger.execute(f"drop tablespace {name}")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)
        folder.rmdir()


def test_a_full_disk_loses_no_event_and_keeps_none_twice(
    small_disk: Callable[[str], None], intake, ledger, event, write_message
) -> None:
    message_id = write_message("unknown")
    posts: list[list[dict[str, Any]]] = [
        [event("bounce", type="bounce", message_id=message_id, url=f"https://{'x' * 50}.example/") for _ in range(200)]
        for _ in range(40)
    ]
    answers = [intake.post(post) for post in posts]
    kept = [post for post, answer in zip(posts, answers, strict=True) if answer.status_code == 200]
    refused = [post for post, answer in zip(posts, answers, strict=True) if answer.status_code == 503]
    assert len(kept) + len(refused) == len(posts)
    assert kept, "some posts found room"
    assert refused, "the disk was full"
    assert all(answer.headers["Retry-After"] == "60" for answer in answers if answer.status_code == 503)
    # What was acknowledged is there, what was not is not: neither the events nor what follows from them.
    assert read_ids(ledger, "provider_event", "event_id") == ids_of(kept)
    assert read_ids(ledger, "suppression", "origin_key") == ids_of(kept)
    small_disk("64m")
    again = [intake.post(post) for post in posts]
    assert {answer.status_code for answer in again} == {200}
    assert sum(int(answer.text.split()[0]) for answer in again) == len(ids_of(refused))
    assert read_ids(ledger, "provider_event", "event_id") == ids_of(posts)
    assert read_ids(ledger, "suppression", "origin_key") == ids_of(posts)


def test_a_full_disk_loses_no_event_of_an_app_either(
    small_disk: Callable[[str], None], write_keys: dict[str, str], open_workspace, serve, ledger
) -> None:
    batches = [[make_call(number * 100 + place) for place in range(100)] for number in range(60)]

    def post(intake: Any, batch: list[dict[str, Any]]) -> requests.Response:
        return requests.post(f"{intake.url}/v1/batch", json={"batch": batch}, auth=("web-key", ""), timeout=30)

    with serve(open_workspace()) as intake:
        answers = [post(intake, batch) for batch in batches]
        kept = [batch for batch, answer in zip(batches, answers, strict=True) if answer.status_code == 200]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert all(answer.headers["Retry-After"] == "60" for answer in answers if answer.status_code == 503)
        assert read_ids(ledger, "app_event", "event_id") == sorted(one["messageId"] for batch in kept for one in batch)
        small_disk("64m")
        assert {post(intake, batch).status_code for batch in batches} == {200}
    assert read_ids(ledger, "app_event", "event_id") == sorted(one["messageId"] for batch in batches for one in batch)


def make_call(number: int) -> dict[str, Any]:
    text = {"query": "x" * 300}
    return {"type": "track", "event": "Search", "anonymousId": "d", "messageId": f"m{number:06d}", "properties": text}


def ids_of(posts: list[list[dict[str, Any]]]) -> list[str]:
    return sorted(made["sg_event_id"] for post in posts for made in post)


def read_ids(ledger, table: str, key: str) -> list[str]:
    return sorted(row[key] for row in ledger.execute(f"select {key} from ledger.{table}"))
