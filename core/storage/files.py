"""Files that are for this user only, and that outlast a power cut."""

import os
from collections.abc import Callable
from pathlib import Path

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700
POSIX = os.name == "posix"
"""Elsewhere files have no such modes, and a folder cannot be flushed; there the user's profile keeps others out."""
COPIED_AT_ONCE = 4 * 2**20
"""Bytes of a file that are copied before its progress is told."""

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""


def has_content(path: Path) -> bool:
    """Return whether there is a file with anything in it."""
    return path.exists() and path.stat().st_size > 0


def beside(path: Path, suffix: str) -> Path:
    """Return a file that is called as this one, with something behind."""
    return path.with_name(path.name + suffix)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each for its owner only, so that they outlast a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(OWNER_ONLY_FOLDER, exist_ok=True)
    flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    """Return once the names in a folder are on disk."""
    if not POSIX:
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def flush_file(file: Path) -> None:
    """Return once what is in a file is on disk."""
    opened = os.open(file, os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def make_file(file: Path) -> None:
    """Make an empty file; raise FileExistsError where there is one."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))


def copy(source: Path, target: Path, progress: Progress) -> None:
    """Copy a file to where there is none, and return once it is on disk; leave nothing of a copy that fails."""
    make_file(target)
    try:
        with source.open("rb") as reading, target.open("r+b") as writing:
            whole, done = os.fstat(reading.fileno()).st_size, 0
            while chunk := reading.read(COPIED_AT_ONCE):
                writing.write(chunk)
                done += len(chunk)
                progress(done, whole)
            writing.flush()
            os.fsync(writing.fileno())
    except BaseException:
        target.unlink()
        raise


def replace(file: Path, text: bytes) -> None:
    """Put a text in the place of a file, so that whenever it is cut short the old or the new is there, whole."""
    draft = beside(file, ".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as writing:
        writing.write(text)
        writing.flush()
        os.fsync(writing.fileno())
    draft.replace(file)
    flush_folder(file.parent)
