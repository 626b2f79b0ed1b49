"""SIGTERM: a server ends with status 0, soon, and what it was doing leaves nothing behind."""

from __future__ import annotations

import http.client
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cherax import Cherax
from harness.process import wait_until

from .support import (
    OLD,
    assert_nothing_left,
    coordinate,
    links,
    make_roots,
    manifest,
    objects,
    roots,
    tree,
    unlocked,
    wait_for_step,
    wait_for_upload,
)

# All zeros and sparse: takes some seconds to read and nothing to store.
HUGE = 2 << 30


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        coordinate(cherax, poll={"delay_max": 1, "maximum_failures": 2}, backup_attempts=1)
        cherax.start()
        yield cherax


def make_huge(path: Path) -> None:
    path.touch()
    os.truncate(path, HUGE)
    os.utime(path, (OLD, OLD))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_although_a_client_keeps_its_connection(number: signal.Signals, cherax: Cherax) -> None:
    connection = http.client.HTTPConnection(cherax.servers[0].url.removeprefix("http://"), timeout=20)
    connection.request("GET", "/busy")
    connection.getresponse().read()
    os.kill(cherax.servers[0].pid, number)
    cherax.servers[0].stop()
    connection.close()


def test_a_coordinator_ends_in_the_middle_of_a_snapshot(cherax: Cherax) -> None:
    for root in roots(cherax):
        make_huge(root / "huge")
    number = cherax.start_operation("backup")
    wait_for_step(cherax, "backup", number, 1)
    for server in cherax.servers:
        wait_until(lambda: "begins" in server.log.read_text(), "the snapshot has begun", 20, pause=0.02)
    cherax.servers[0].stop()
    assert "files were read" not in cherax.servers[0].log.read_text(), "it waited for its end"
    wait_until(lambda: links(roots(cherax)[1]) == [], "the other node has given up", 20)
    assert objects(cherax, "json") == []
    assert_nothing_left(cherax, [1])


def test_a_coordinator_ends_in_the_middle_of_an_upload(cherax: Cherax) -> None:
    """The content was hashed before, so that the second backup only uploads it."""
    make_huge(roots(cherax)[0] / "huge")
    status = cherax.run_operation("backup", timeout=300)
    (digest,) = [
        file["hexdigest"]
        for file in manifest(cherax, status["backup"])["snapshot_results"][0]["state"]["files"]
        if file["relative_path"] == "huge"
    ]
    for path in [*objects(cherax, "data"), *objects(cherax, "json")]:
        path.unlink()
    cherax.start_operation("backup")
    wait_for_upload(cherax)
    cherax.servers[0].stop()
    assert not (cherax.store / "data" / digest).exists(), "it waited for the end of the upload"
    assert objects(cherax, "json") == []
    assert_nothing_left(cherax, [1])
    assert not list((cherax.store / ".cherax.tmp").iterdir())


def test_a_node_that_is_not_the_coordinator_ends_in_the_middle_and_is_named(cherax: Cherax) -> None:
    make_huge(roots(cherax)[1] / "huge")
    number = cherax.start_operation("backup")
    wait_until(lambda: "begins" in cherax.servers[1].log.read_text(), "the snapshot has begun", 20, pause=0.02)
    cherax.servers[1].stop()
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "fail" and cherax.servers[1].url in status["error"]
    assert objects(cherax, "json") == []
    assert_nothing_left(cherax, [0])


def test_a_restore_that_was_ended_is_completed_by_the_same_command(cherax: Cherax) -> None:
    for root in roots(cherax):
        for number in range(40):
            (root / f"file{number}").write_bytes(os.urandom(200_000))
    before = [tree(root) for root in roots(cherax)]
    name = cherax.backup()
    for root in roots(cherax):
        for path in root.glob("file*"):
            path.unlink()
    cherax.start_operation("restore", {"name": name})
    wait_until(lambda: any(roots(cherax)[1].glob("file*")), "a file is restored", 20, pause=0.002)
    cherax.servers[0].stop()
    assert unlocked(cherax, [1])
    cherax.start_server(0)
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    assert [tree(root) for root in roots(cherax)] == before
    assert not [path for root in roots(cherax) for path in root.rglob("*.tmp")]
