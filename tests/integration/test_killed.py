"""kill -9 in the middle, then the same command again: it completes, at once where that is possible."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cherax import Cherax
from harness.process import wait_until

from .support import (
    assert_nothing_left,
    coordinate,
    links,
    make_roots,
    objects,
    roots,
    stalled,
    tree,
    unlocked,
    wait_for_step,
    wait_for_upload,
    write,
)


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    """Two nodes, with locks of ten minutes: nobody can wait for their end here."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        coordinate(cherax, poll={"delay_max": 1, "maximum_failures": 2}, backup_attempts=1)
        cherax.start()
        yield cherax


def test_a_backup_whose_coordinator_was_killed_is_repeated_at_once(cherax: Cherax) -> None:
    before = [tree(root) for root in roots(cherax)]
    with stalled(cherax.store, only_writes=True):
        cherax.start_operation("backup")
        wait_for_upload(cherax)
        cherax.servers[0].kill()
    assert objects(cherax, "json") == []
    cherax.start_server(0)
    status = cherax.run_operation("backup")
    assert status["state"] == "done", status
    assert_nothing_left(cherax, [0, 1])
    for root in roots(cherax):
        shutil.rmtree(root)
        root.mkdir()
    assert cherax.run_operation("restore")["state"] == "done"
    assert [tree(root) for root in roots(cherax)] == before


def test_a_restarted_coordinator_unlocks_before_anybody_asks(cherax: Cherax) -> None:
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        cherax.servers[0].kill()
    assert cherax.call("POST", "/node/lock?locker=probe&ttl=1", server=1)[0] == 409
    cherax.start_server(0)
    wait_until(lambda: unlocked(cherax, [1]), "the other node is unlocked", 20)
    wait_until(lambda: not (cherax.servers[0].db_path / "coordinator.lock").exists(), "the lock file is gone", 20)
    assert cherax.run_operation("backup", server=1)["state"] == "done"


def test_a_backup_of_which_a_node_was_killed_is_repeated_at_once(cherax: Cherax) -> None:
    with stalled(cherax.store, only_writes=True):
        number = cherax.start_operation("backup")
        wait_for_upload(cherax)
        cherax.servers[1].kill()
    assert cherax.wait_for_operation("backup", number)["state"] == "fail"
    cherax.start_server(1)
    assert cherax.run_operation("backup")["state"] == "done"
    assert_nothing_left(cherax, [0, 1])


def test_a_backup_that_all_servers_were_killed_in_is_repeated_at_once(cherax: Cherax) -> None:
    with stalled(cherax.store, only_writes=True):
        cherax.start_operation("backup")
        wait_for_upload(cherax)
        for server in cherax.servers:
            server.kill()
    cherax.start()
    assert cherax.run_operation("backup", server=1)["state"] == "done"
    assert_nothing_left(cherax, [0, 1])


def test_a_backup_that_was_killed_at_its_manifest_does_not_exist(cherax: Cherax) -> None:
    first = cherax.backup()
    with stalled(cherax.store, only_writes=True):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 4)
        wait_for_upload(cherax)
        cherax.servers[0].kill()
    cherax.start_server(0)
    assert cherax.backup_names() == [first]
    assert cherax.run_operation("backup")["state"] == "done"
    assert_nothing_left(cherax, [0, 1])


@pytest.mark.parametrize("killed", [[0], [1], [0, 1]], ids=["coordinator", "node", "both"])
def test_a_restore_that_was_killed_is_repeated_at_once(killed: list[int], cherax: Cherax) -> None:
    for root in roots(cherax):
        for number in range(40):
            write(root / f"many/{number}", os.urandom(200_000))
    before = [tree(root) for root in roots(cherax)]
    name = cherax.backup()
    for root in roots(cherax):
        shutil.rmtree(root / "many")
    cherax.start_operation("restore", {"name": name})
    for root in roots(cherax):
        wait_until(lambda: any(root.glob("many/*")), "a file is restored", 20, pause=0.002)
    with stalled(cherax.store):
        for server in killed:
            cherax.servers[server].kill()
    assert [tree(root) for root in roots(cherax)] != before, "it was over before it was killed"
    for server in killed:
        cherax.start_server(server)
    if 0 not in killed:  # the coordinator notices, and gives up
        wait_until(lambda: unlocked(cherax, [0, 1]), "the nodes are unlocked", 30)
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    assert [tree(root) for root in roots(cherax)] == before
    assert_nothing_left(cherax, [0, 1])


def test_when_a_coordinator_is_gone_for_good_another_waits_for_the_end_of_its_locks(tmp_path: Path) -> None:
    """The first of three servers only coordinates; the other two are the nodes, and the second takes over."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 3)) as cherax:
        coordinate(cherax, nodes=cherax.configs[0]["coordinator"]["nodes"][1:], default_lock_ttl=3)
        cherax.start()
        with stalled(cherax.store):
            number = cherax.start_operation("backup")
            wait_for_step(cherax, "backup", number, 2)
            cherax.servers[0].kill()
            status, answer = cherax.call("POST", "/backup", server=1)
        assert status == 409
        assert [holder["node"] for holder in answer["holders"]] == [server.url for server in cherax.servers[1:]]
        assert all(0 < holder["expires_in"] <= 3 for holder in answer["holders"])
        wait_until(lambda: cherax.call("POST", "/backup", server=1)[0] == 200, "the locks have ended", 10)
        wait_until(lambda: cherax.backup_names(server=1) != [], "the backup is there", 20)
        assert cherax.backups(server=1)[0]["nodes"] == 2
        wait_until(lambda: unlocked(cherax, [1, 2]), "the nodes are unlocked", 10)
