#!/usr/bin/env python3
"""The tree that the speed and memory figures are about: 64 files of 16 MiB and 20,000 of 4 to 64 KiB, 1.7 GiB.

Every second 16 KiB block of a file is random bytes, the others are text of a small vocabulary, so that about half of
the bytes compress. The same seed and scale give the same names, bytes and modification times on every machine. The
times are long past: files as young as the backup would count as unsettled, and be read again by the next one.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = 16 * 1024
LARGE_FILES = 64
LARGE_SIZE = 16 * 1024 * 1024
SMALL_FILES = 20_000
SMALL_SIZES = (4 * 1024, 64 * 1024)
SMALL_FILES_IN_FOLDER = 200
MODIFIED = 1_700_000_000  # seconds since the epoch: in November 2023
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


@dataclass(frozen=True)
class Planned:
    """A file of the tree before it is written."""

    path: str
    size: int


def plan(seed: int, scale: float = 1.0) -> Iterator[Planned]:
    """The files in the order in which they are written; `scale` is of their number, not of their sizes."""
    for number in range(max(1, round(LARGE_FILES * scale))):
        yield Planned(f"large/{number:03}", LARGE_SIZE)
    sizes = random.Random(f"{seed}/sizes")
    for number in range(max(1, round(SMALL_FILES * scale))):
        yield Planned(f"small/{number // SMALL_FILES_IN_FOLDER:03}/{number:05}", sizes.randint(*SMALL_SIZES))


class Content:
    """The bytes of each file, from the seed and the file's path alone."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._words = _vocabulary(random.Random(f"{seed}/words"))
        self._bytes_a_word = sum(map(len, self._words)) / len(self._words)

    def blocks(self, file: Planned) -> Iterator[bytes]:
        source = random.Random(f"{self._seed}/{file.path}")
        is_text = source.random() < 0.5
        for offset in range(0, file.size, BLOCK):
            size = min(BLOCK, file.size - offset)
            yield self._text(source, size) if is_text else source.randbytes(size)
            is_text = not is_text

    def _text(self, source: random.Random, size: int) -> bytes:
        text = b""
        while len(text) < size:
            numbers = source.randbytes(int(size / self._bytes_a_word) + 64)
            text += b"".join(map(self._words.__getitem__, numbers))
        return text[:size]


def _vocabulary(source: random.Random) -> list[bytes]:
    """A word for each value of a byte; as in a language, some words come more often than others."""
    words = ["".join(source.choices(LETTERS, k=source.randint(1, 10))) for _ in range(200)]
    frequencies = [1 / (rank + 5) for rank in range(len(words))]
    separators = source.choices([" ", ", ", "\n"], [20, 3, 1], k=256)
    return [(word + end).encode() for word, end in zip(source.choices(words, frequencies, k=256), separators)]


def write_tree(directory: Path, seed: int, scale: float = 1.0) -> tuple[int, int]:
    """Writes the tree into `directory`, which must be empty or absent. Returns the number of files and of bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")
    content = Content(seed)
    files = size = 0
    for file in plan(seed, scale):
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            out.writelines(content.blocks(file))
        os.utime(path, (MODIFIED, MODIFIED))
        files += 1
        size += file.size
    return files, size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True, metavar="N")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="so many times the files (default: 1)")
    parser.add_argument("directory", type=Path, help="empty or absent")
    arguments = parser.parse_args()
    try:
        files, size = write_tree(arguments.directory, arguments.seed, arguments.scale)
    except OSError as error:
        print(f"tree.py: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.directory}: {files} files, {size} bytes ({size / 2**30:.2f} GiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
