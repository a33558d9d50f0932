"""Goes through the files that this machine keeps for us (logs, pages, previews) and takes a person out of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from safar.erasure.replacing import Replacement
from safar.errors import SafarError

# The database's own files, which only PostgreSQL may touch, and the simulated vendors, which are not ours.
LEFT_ALONE = frozenset({"postgres", "sandbox", "exports"})
LARGEST_TEXT = 256 * 1024 * 1024


def rewrite_files(home: Path, replacement: Replacement) -> int:
    """Returns how many files were changed; a file is replaced as a whole, with the same rights.

    Raises:
        SafarError: a file that is no text names the person; the message says which.
    """
    count = 0
    for path in _list_files(home):
        text = _read_text(path)
        if text is None:
            if _mentions_bytes(path, replacement):
                raise SafarError(f"{path} names an erased person and is no text. Delete it; keep_house tries again.")
            continue
        if replacement.names(text):
            _replace(path, replacement.rewrite_words(text))
            count += 1
    return count


def _list_files(home: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(home):
        if Path(folder) == home:
            folders[:] = [name for name in folders if name not in LEFT_ALONE]
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _read_text(path: Path) -> str | None:
    if path.stat().st_size > LARGEST_TEXT:
        return None
    content = path.read_bytes()
    if b"\0" in content:
        return None
    return content.decode("utf-8", "surrogateescape")


def _mentions_bytes(path: Path, replacement: Replacement) -> bool:
    rest = ""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            text = rest + chunk.decode("latin-1")
            if replacement.names(text):
                return True
            rest = text[-500:]
    return False


def _replace(path: Path, text: str) -> None:
    following = path.with_name(f".{path.name}.erasing")
    following.write_bytes(text.encode("utf-8", "surrogateescape"))
    following.chmod(path.stat().st_mode & 0o777)
    following.replace(path)
