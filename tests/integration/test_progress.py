"""What `-w` shows while an operation runs: one live line on a terminal, otherwise a line for each step."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.cherax import Cherax
from harness.process import wait_until

from .support import make_roots, stalled


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        cherax.start()
        yield cherax


class Shown:
    """What arrives at the reading end of a command's standard error, so far."""

    def __init__(self, descriptor: int) -> None:
        self.text = ""
        self._descriptor = descriptor
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def all(self) -> str:
        """Once nobody writes any more."""
        self._thread.join(20)
        return self.text

    def _read(self) -> None:
        while True:
            try:
                some = os.read(self._descriptor, 4096)
            except OSError:  # how a pseudo-terminal ends
                return
            if not some:
                return
            self.text += some.decode(errors="replace")


@contextmanager
def backup_shown_on(cherax: Cherax, ends: tuple[int, int]) -> Iterator[tuple[subprocess.Popen[bytes], Shown]]:
    """Runs `cherax -w 60 backup` with the second end as its standard error."""
    reading, writing = ends
    command = cherax.client_command("backup", wait=60)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writing) as process:
        os.close(writing)
        try:
            yield process, Shown(reading)
        finally:
            process.kill()
    os.close(reading)


def test_on_a_terminal_one_line_is_redrawn(cherax: Cherax) -> None:
    with backup_shown_on(cherax, pty.openpty()) as (process, shown):
        with stalled(cherax.store, only_writes=True):
            wait_until(lambda: " of 79.0 KB" in shown.text, "the upload is shown", 30, pause=0.05)
        assert process.wait(30) == 0
        text = shown.all()
    live, _, last = text.rpartition("\rbackup: backup-")
    assert "\n" not in live, "it stays one line"
    assert re.search(r"\r\[3/4\] upload it, 0 of 3 files, 0 B of 79\.0 KB", live)
    assert "step " not in text and last.endswith("\n") and last.count("\n") == 1
    assert "\x1b" not in text


def test_without_a_terminal_each_step_has_a_line(cherax: Cherax) -> None:
    with backup_shown_on(cherax, os.pipe()) as (process, shown):
        with stalled(cherax.store, only_writes=True):
            wait_until(lambda: "step 3 of 4: upload it" in shown.text, "the upload is shown", 30, pause=0.05)
        assert process.wait(30) == 0
        text = shown.all()
    assert "\r" not in text and text.endswith("\n")
    lines = text.splitlines()
    assert all(re.fullmatch(r"step [1-4] of 4: [a-z ]+( \(step [1-4] took .+\))?", line) for line in lines[:-1]), text
    assert lines[-1].startswith("backup: backup-")
