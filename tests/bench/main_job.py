#!/usr/bin/env python3
"""Measures the main job on one server: first backup, unchanged second backup, restore into the emptied root.

One `cherax server` is coordinator and node, with 4 workers each for hashes, uploads and downloads, zstd at level 3,
encryption with an RSA key of 3072 bits, the `files` plugin, and a local store on the tree's disk. The tree is that of
tree.py. Every run starts with an empty store and a new server; the restored tree is compared byte for byte.

Before each phase all dirty pages are written out, so that a phase pays for its own writes only. The page cache is left
as it is, so a machine with some memory reads the tree from memory; --cold empties the cache before each phase as well
(needs root). Nothing is deleted before the end, as a file system may go on freeing blocks for a minute: a run needs
1.7 times the tree's size on the disk.

The status is 1 when the memory, or the files that an unchanged backup reads, are over their bars.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.meter import Meter, ReadFiles, Usage
from bench.tree import write_tree
from harness.cherax import Cherax
from harness.process import CHECKOUT

PHASES = ("first backup", "unchanged backup", "restore")
WORKERS = 4
OPERATION_LIMIT = 3600.0
POLL = 0.05
GIB = 2**30
MIB = 2**20
PEAK_RSS_BAR = 256 * MIB


@dataclasses.dataclass(frozen=True)
class Phase:
    usage: Usage
    files_read: int
    """Files of the tree whose content was read."""
    store_files_read: int
    """Of the files that were in the store before."""
    stored_bytes: int
    """In the store afterwards, metadata files included."""


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def fingerprint(root: Path) -> dict[str, tuple[int, str]]:
    """Modification time and content of every file that is not Cherax' own."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, hashlib.sha1(path.read_bytes()).hexdigest())
        for path in files_below(root)
        if ".astacus" not in path.parts
    }


def empty(root: Path, into: Path) -> None:
    into.mkdir()
    for child in root.iterdir():
        child.rename(into / child.name)


class Job:
    """One server on one tree."""

    def __init__(self, root: Path, directory: Path, binary: Path, cold: bool) -> None:
        self._root = root
        self._cold = cold
        self.cherax = Cherax(
            directory,
            plugin="files",
            plugin_config={"root_globs": ["**"]},
            nodes=[{"root": str(root)}],
            binary=binary,
        )
        self.cherax.configs[0]["node"]["parallel"] = {"hashes": WORKERS, "uploads": WORKERS, "downloads": WORKERS}

    def run(self) -> dict[str, Phase]:
        with self.cherax:
            self.cherax.start()
            phases = {"first backup": self._measure("backup"), "unchanged backup": self._measure("backup")}
            empty(self._root, self.cherax.directory / "emptied")
            phases["restore"] = self._measure("restore")
        return phases

    def _measure(self, operation: str) -> Phase:
        of_tree = ReadFiles(path for path in files_below(self._root) if ".astacus" not in path.parts)
        of_store = ReadFiles(files_below(self.cherax.store))
        os.sync()
        if self._cold:
            Path("/proc/sys/vm/drop_caches").write_text("3")
        meter = Meter(self.cherax.servers[0].pid)
        self._operate(operation)
        return Phase(meter.read(), of_tree.count(), of_store.count(), self.cherax.stored_bytes())

    def _operate(self, operation: str) -> None:
        """As the command line does it, but noticing the end at once."""
        status, started = self.cherax.call("POST", f"/{operation}")
        if status != 200:
            raise RuntimeError(f"{operation} did not start: {status} {started}")
        deadline = time.monotonic() + OPERATION_LIMIT
        while time.monotonic() < deadline:
            answer = self.cherax.call("GET", f"/{operation}/{started['op_id']}")[1]
            if answer["state"] == "done":
                return
            if answer["state"] == "fail":
                raise RuntimeError(f"{operation} failed: {answer}\n{self.cherax.logs()}")
            time.sleep(POLL)
        raise TimeoutError(f"{operation} is not done after {OPERATION_LIMIT:.0f} s\n{self.cherax.logs()}")


def summary(runs: list[dict[str, Phase]], tree_bytes: int) -> dict[str, dict[str, float]]:
    """The median of the runs; of memory and of files read, the highest."""

    def of(phase: str) -> dict[str, float]:
        def each(value: Callable[[Phase], float]) -> list[float]:
            return [value(run[phase]) for run in runs]

        seconds = statistics.median(each(lambda p: p.usage.seconds))
        return {
            "seconds": seconds,
            "bytes_per_second": tree_bytes / seconds,
            "cpu_seconds_per_gib": statistics.median(each(lambda p: p.usage.cpu_seconds)) / (tree_bytes / GIB),
            "peak_rss": max(each(lambda p: p.usage.peak_rss)),
            "bytes_read": statistics.median(each(lambda p: p.usage.bytes_read)),
            "files_read": max(each(lambda p: p.files_read)),
            "store_files_read": max(each(lambda p: p.store_files_read)),
            "stored_bytes": statistics.median(each(lambda p: p.stored_bytes)),
            "busy_others": statistics.median(each(lambda p: p.usage.busy_others)),
        }

    return {phase: of(phase) for phase in PHASES}


def table(figures: dict[str, dict[str, float]]) -> str:
    """In Markdown."""
    rows = [
        "| | seconds | MiB/s | CPU s per GiB | peak RSS, MiB | read from files, MiB | files of the tree read "
        "| files of the store read | stored, MiB | busy cores of others |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for phase, of in figures.items():
        rows.append(
            f"| {phase} | {of['seconds']:.2f} | {of['bytes_per_second'] / MIB:.0f} | {of['cpu_seconds_per_gib']:.2f} "
            f"| {of['peak_rss'] / MIB:.0f} | {of['bytes_read'] / MIB:.0f} | {of['files_read']:.0f} "
            f"| {of['store_files_read']:.0f} | {of['stored_bytes'] / MIB:.0f} | {of['busy_others']:.1f} |"
        )
    return "\n".join(rows)


def missed_bars(figures: dict[str, dict[str, float]]) -> list[str]:
    missed = [
        f"{phase}: the server's peak RSS was {of['peak_rss'] / MIB:.0f} MiB, over {PEAK_RSS_BAR // MIB}"
        for phase, of in figures.items()
        if of["peak_rss"] > PEAK_RSS_BAR
    ]
    if read := figures["unchanged backup"]["files_read"]:
        missed.append(f"unchanged backup: {read:.0f} files of the tree were read")
    return missed


def run_once(number: int, arguments: argparse.Namespace, root: Path, expected: Any) -> dict[str, Phase]:
    directory = arguments.directory / f"run{number}"
    directory.mkdir()
    phases = Job(root, directory, arguments.binary, arguments.cold).run()
    if fingerprint(root) != expected:
        raise AssertionError(f"run {number}: the restored tree {root} is not what was backed up")
    if phases["first backup"].files_read != len(expected):
        raise AssertionError("the first backup moved no access times: is the file system mounted with noatime?")
    return phases


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = Path(os.environ.get("CHERAX_BIN", CHECKOUT / "build/release/cherax"))
    parser.add_argument("--directory", type=Path, default=CHECKOUT / "build/bench",
                        help="made for the files, and removed after success (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the tree's files (default: 1)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="empty the page cache before each phase")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of all runs there, too")
    arguments = parser.parse_args()
    arguments.binary = binary.resolve()
    arguments.directory = arguments.directory.resolve()
    if arguments.directory.exists():
        parser.error(f"{arguments.directory} is there already: remove it, or choose another --directory")
    if not os.access(arguments.binary, os.X_OK):
        parser.error(
            f"no cherax at {arguments.binary}: cmake --preset release && ninja -C build/release cherax, or CHERAX_BIN"
        )
    return arguments


def main() -> int:
    arguments = parse_arguments()
    arguments.directory.mkdir(parents=True)
    root = arguments.directory / "root"
    files, size = write_tree(root, arguments.seed, arguments.scale)
    print(f"tree: {files} files, {size / GIB:.2f} GiB; {os.cpu_count()} cores; cold: {arguments.cold}", flush=True)
    expected = fingerprint(root)

    runs = []
    for number in range(1, arguments.runs + 1):
        runs.append(run_once(number, arguments, root, expected))
        print(f"\nrun {number}\n{table(summary(runs[-1:], size))}", flush=True)
    figures = summary(runs, size)
    print(f"\nmedian of {len(runs)} runs; of memory and of files read the highest\n{table(figures)}")

    if arguments.json:
        document = {
            "tree": {"seed": arguments.seed, "scale": arguments.scale, "files": files, "bytes": size},
            "cores": os.cpu_count(),
            "cold": arguments.cold,
            "summary": figures,
            "runs": [{phase: dataclasses.asdict(of) for phase, of in run.items()} for run in runs],
        }
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")
    shutil.rmtree(arguments.directory)
    missed = missed_bars(figures)
    for bar in missed:
        print(f"missed: {bar}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
