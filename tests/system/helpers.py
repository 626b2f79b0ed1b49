"""What several system tests ask of a cluster after an operation."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassandra.cluster import NoHostAvailable
from harness.cassandra import CassandraCluster, CassandraNode
from harness.cherax import Cherax
from harness.fingerprint import Fingerprint, differences, fingerprints
from harness.process import wait_until
from harness.workload import QUERIES


@dataclass(frozen=True)
class Backup:
    name: str
    content: Fingerprint
    """What the cluster held then."""


def script(directory: Path, name: str, text: str) -> list[str]:
    path = directory / name
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)
    return [str(path)]


class Gate:
    """A command that does what it should, then waits at a gate until the test opens it."""

    def __init__(self, directory: Path, name: str, command: list[str], *, only: str = "", call: int = 1) -> None:
        """The gate is for the call with this number, of those with this first argument."""
        self._reached = directory / f"{name}.reached"
        self._open = directory / f"{name}.open"
        calls = directory / f"{name}.calls"
        self.command = script(
            directory,
            name,
            f'"{command[0]}" "$@" || exit\n'
            f'[ -n "{only}" ] && [ "${{1-}}" != "{only}" ] && exit\n'
            f"echo >> {calls}\n"
            f"[ $(wc -l < {calls}) -eq {call} ] || exit 0\n"
            f"touch {self._reached}\n"
            f"until [ -e {self._open} ]; do sleep 0.1; done\n",
        )

    def wait_reached(self) -> None:
        wait_until(self._reached.exists, f"{self.command[0]} waits at its gate", 120)

    def open(self) -> None:
        self._open.touch()


@contextmanager
def changed_config(cherax: Cherax, section: dict[str, Any], **changes: Any) -> Iterator[None]:
    """Runs the server with some values of a section of its configuration changed, and afterwards as before."""
    before = dict(section)
    cherax.servers[0].stop()
    section.update(changes)
    try:
        cherax.start_server(0)
        yield
    finally:
        cherax.servers[0].kill()
        section.clear()
        section.update(before)
        cherax.start_server(0)


def start_client(cherax: Cherax, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        cherax.client_command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def assert_same_through_each_node(
    cluster: CassandraCluster, expected: Fingerprint, *, queries: Sequence[str] = QUERIES, **login: str
) -> None:
    for address, found in fingerprints(cluster, queries=queries, **login).items():
        found_differences = differences(expected, found)
        assert not found_differences, f"through {address}:\n" + "\n".join(map(str, found_differences))


def assert_tokens_are_the_configured(cluster: CassandraCluster, **login: str) -> None:
    for node in cluster.nodes:
        with node.session(**login) as session:
            tokens = session.execute("SELECT tokens FROM system.local").one().tokens
        assert {int(token) for token in tokens} == set(node.tokens), node.address


def assert_owned_by_cassandra(cluster: CassandraCluster) -> None:
    for node in cluster.nodes:
        assert node.foreign_owned() == [], node.address


def assert_nothing_left_behind(cluster: CassandraCluster) -> None:
    """No snapshot of Cassandra's, and below the root no file of ours: a hard link would pin deleted SSTables."""
    for node in cluster.nodes:
        assert snapshot_directories(node) == [], node.address
        assert files_of_cherax(node) == [], node.address


def snapshot_directories(node: CassandraNode) -> list[Path]:
    return list((node.root / "data").glob("*/*/snapshots/*"))


def files_of_cherax(node: CassandraNode) -> list[Path]:
    return [path for path in (node.root / ".astacus").rglob("*") if path.is_file()]


def logs_in(node: CassandraNode, username: str, password: str) -> bool:
    try:
        with node.session(username, password):
            return True
    except NoHostAvailable as error:
        assert all("AuthenticationFailed" in type(cause).__name__ for cause in error.errors.values()), error.errors
        return False
