"""Small helpers around processes, ports and waiting that the other modules share."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CHERAX_CACHE", CHECKOUT / ".cache"))


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def require_success(self) -> Finished:
        if self.exit_code != 0:
            raise AssertionError(
                f"{' '.join(self.argv)}\nended with status {self.exit_code}\n"
                f"stdout: {self.stdout[-3000:]}\nstderr: {self.stderr[-3000:]}"
            )
        return self


def run(argv: Sequence[str | Path], timeout: float = 120) -> Finished:
    """Runs a command to its end, in a session of its own, without standard input."""
    words = tuple(str(word) for word in argv)
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        start_new_session=True,
    )
    return Finished(words, done.returncode, done.stdout, done.stderr)


def wait_until(condition: Callable[[], bool], what: str, timeout: float, pause: float = 0.1) -> None:
    """Polls until the condition is true; after `timeout` seconds raises TimeoutError naming `what`."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout:.0f} s still waiting until {what}")
        time.sleep(pause)


def port_open(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def command_line(pid: int) -> bytes:
    """Of a process that runs; empty when it has ended, also as a zombie that nobody has reaped yet."""
    try:
        for _ in range(50):
            if words := Path(f"/proc/{pid}/cmdline").read_bytes():
                return words
            if re.search(r"^State:\s[ZX]", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE):
                break
            time.sleep(0.02)  # one that is just being executed has none for a moment
    except OSError:
        pass
    return b""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tail(path: Path, lines: int = 30) -> str:
    """The last lines of a log, or a note that there is none."""
    if not path.exists():
        return f"({path} does not exist)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
