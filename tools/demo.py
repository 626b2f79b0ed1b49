"""The main job end to end, on real Cassandra: two backups, a restore of the first on emptied nodes, and a comparison.

Run by ./demo, which installs and builds first.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness import workload  # noqa: E402
from harness.cassandra import CassandraCluster  # noqa: E402
from harness.cherax import Cherax  # noqa: E402
from harness.fingerprint import (  # noqa: E402
    Fingerprint,
    differences,
    fingerprint,
    rows_in,
    settled_fingerprint,
)

AMOUNT = workload.FULL
LEGEND = """\
  read: what the three servers read, from files and from each other; backup: the size of the backed-up files;
  new: those of them that the store did not have; stored: what the store grew by, compressed and encrypted;
  dedupe: backup / new; compression: new / stored"""
COLUMNS = ("seconds", "read", "backup", "new", "stored", "dedupe", "compression")


@dataclass
class Sizes:
    """What a stage did, for its line of the table; None where a column makes no sense."""

    read: int | None = None
    backup: int | None = None
    new: int | None = None
    stored: int | None = None

    def columns(self) -> list[str]:
        return [
            *map(megabytes, (self.read, self.backup, self.new, self.stored)),
            ratio(self.backup, self.new),
            ratio(self.new, self.stored),
        ]


def megabytes(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:.1f} MB"


def ratio(large: int | None, small: int | None) -> str:
    return f"{large / small:.2f}" if large and small else ""


def print_row(cells: list[str]) -> None:
    print("".join(f"{cell:>12}" for cell in cells), flush=True)


@contextmanager
def stage(title: str) -> Iterator[Sizes]:
    """Prints the stage's line: its title at the start, its numbers at the end."""
    print(f"{title:<44}", end="", flush=True)
    started = time.monotonic()
    sizes = Sizes()
    yield sizes
    print_row([f"{time.monotonic() - started:.1f}", *sizes.columns()])


def take_backup(cherax: Cherax, sizes: Sizes) -> str:
    read, stored = cherax.bytes_read(), cherax.stored_bytes()
    name = cherax.backup()
    entry = find_backup(cherax, name)
    sizes.read = cherax.bytes_read() - read
    sizes.backup, sizes.new = entry["total_size"], entry["upload_size"]
    sizes.stored = cherax.stored_bytes() - stored
    return name


def restore(cherax: Cherax, name: str, sizes: Sizes) -> None:
    read = cherax.bytes_read()
    cherax.restore(name).require_success()
    sizes.read = cherax.bytes_read() - read
    sizes.backup = find_backup(cherax, name)["total_size"]


def find_backup(cherax: Cherax, name: str) -> dict[str, Any]:
    return next(entry for entry in cherax.backups() if entry["name"] == name)


def compare(cluster: CassandraCluster, expected: Fingerprint) -> list[str]:
    """What is different, through any node."""
    found = []
    for node in cluster.nodes:
        with node.session() as session:
            found += [f"through {node.address}: {line}" for line in differences(expected, fingerprint(session))]
        for username, password in workload.LOGINS.items():
            with node.session(username, password):
                pass
    return found


def run_stages(directory: Path) -> list[str]:
    """Everything from the first start to the comparison; returns what is different, and stops what it started."""
    with CassandraCluster(directory / "cassandra", name="demo") as cluster:
        with stage("three Cassandra nodes start"):
            cluster.create()
        with stage(f"schema, roles and {AMOUNT.megabytes:.0f} MB of rows are written"):
            workload.fill(cluster, AMOUNT)
            first_content = settled_fingerprint(cluster)
        with Cherax.for_cassandra(directory / "cherax", cluster) as cherax:
            with stage("three cherax servers start"):
                cherax.start()
            with stage("first backup") as first:
                name = take_backup(cherax, first)
            with stage("rows are changed, added and deleted"):
                with cluster.nodes[0].session() as session:
                    workload.change(session, AMOUNT)
            with stage("second backup, of what is new") as second:
                take_backup(cherax, second)
            with stage("Cassandra stops, all its data is deleted"):
                cluster.stop()
                for node in cluster.nodes:
                    node.wipe()
            with stage("first backup is restored on the empty nodes") as restored:
                restore(cherax, name, restored)
            with stage("everything is compared through each node"):
                found = compare(cluster, first_content)
    if not found:
        roles = len(first_content["rows of system_auth.roles"])
        print(
            f"{rows_in(first_content)} rows of tables and views, {len(first_content['schema'])} objects of the schema "
            f"and {roles} roles with their grants are what they were, through each of {len(cluster.nodes)} nodes."
        )
    return found


def interrupt(*_: object) -> None:
    """Ends the demo by an exception, once: what it does about it, to stop everything, is not to be interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    os.umask(0o022)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    if len(sys.argv) > 1:
        directory = Path(sys.argv[1]).resolve()
        directory.mkdir(parents=True)
    else:
        directory = Path(tempfile.mkdtemp(prefix="cherax-demo-"))
        directory.chmod(0o755)
    print(f"demo: all files are below {directory}\n\n{LEGEND}\n")
    print(f"{'stage':<44}", end="")
    print_row(list(COLUMNS))
    started = time.monotonic()
    try:
        found = run_stages(directory)
    except KeyboardInterrupt:
        print("\ndemo: interrupted; everything that it started has been stopped", file=sys.stderr)
        return 130
    except Exception as error:
        print(f"\n\n{error}\n\nVERDICT: FAILED (logs below {directory})", file=sys.stderr)
        return 1
    for line in found:
        print(line)
    verdict = "FAILED: the restored cluster differs" if found else "the restored cluster is the one that was backed up"
    print(f"\nVERDICT: {verdict} ({time.monotonic() - started:.0f} s; everything is stopped; rm -r {directory})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
