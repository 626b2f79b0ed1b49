"""What one process uses between two moments, and what the rest of the machine did meanwhile, all from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
LONG_AGO = 0  # ns since the epoch


@dataclass(frozen=True)
class Usage:
    """`cpu_seconds` are user and system; `peak_rss` is VmHWM of the time between; both of all threads."""

    seconds: float
    cpu_seconds: float
    peak_rss: int
    bytes_read: int
    """By read(2) and its like from files, whether from the disk or the page cache; sockets do not count."""
    busy_others: float
    """How many cores all other processes kept busy, on average."""


class Meter:
    """Begins to measure when it is made. Sets the process's VmHWM back to what it has now (needs its owner or root)."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        (self._proc / "clear_refs").write_text("5")
        self._cpu, self._read = self._cpu_seconds(), self._fields("io")["rchar"]
        self._busy = _busy_seconds()
        self._begin = time.monotonic()

    def read(self) -> Usage:
        seconds = time.monotonic() - self._begin
        cpu = self._cpu_seconds() - self._cpu
        return Usage(
            seconds=seconds,
            cpu_seconds=cpu,
            peak_rss=self._fields("status")["VmHWM"] * 1024,
            bytes_read=self._fields("io")["rchar"] - self._read,
            busy_others=max(0.0, (_busy_seconds() - self._busy - cpu) / seconds),
        )

    def _cpu_seconds(self) -> float:
        after_name = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICK

    def _fields(self, file: str) -> dict[str, int]:
        fields = {}
        for line in (self._proc / file).read_text().splitlines():
            name, _, value = line.partition(":")
            if (number := value.split()[:1]) and number[0].isdigit():
                fields[name] = int(number[0])
        return fields


class ReadFiles:
    """Which of some files have their content read from now on, told by their access times.

    Each access time is set before the modification time: then the next read moves it, also where the file system is
    mounted with `relatime`. With `noatime` nothing ever moves, so a caller needs a case in which files are read.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        for path in self._paths:
            os.utime(path, ns=(LONG_AGO, path.stat().st_mtime_ns))

    def count(self) -> int:
        return sum(path.stat().st_atime_ns != LONG_AGO for path in self._paths if path.exists())


def _busy_seconds() -> float:
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, Path("/proc/stat").open().readline().split()[1:])
    return (user + nice + system + irq + softirq) / TICK
