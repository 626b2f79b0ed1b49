"""A store that hangs holds up what needs it, and nothing else: locks are kept, statuses are told."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cherax import Cherax
from harness.process import wait_until

from .support import coordinate, make_roots, objects, stalled, unlocked, wait_for_step, write

# What takes longer was held up; the store is held for many times that.
PROMPT = 1.0


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    """Two nodes with locks of 2 s; a second storage holds a backup that no list has read yet."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        coordinate(cherax, default_lock_ttl=2)
        for config in cherax.configs:
            config["object_storage"]["storages"]["slow"] = {
                "storage_type": "local",
                "directory": str(cherax.directory / "slow"),
            }
        cherax.start()
        cherax.run_operation("backup")
        shutil.copytree(cherax.store, cherax.directory / "slow")
        yield cherax


def timed(cherax: Cherax, method: str, path: str) -> int:
    """The status of an answer that has to be prompt."""
    begin = time.monotonic()
    status, _ = cherax.call(method, path)
    assert time.monotonic() - begin < PROMPT, path
    return status


def holder(cherax: Cherax) -> dict[str, Any]:
    """Who holds the second node's lock, and for how long."""
    status, answer = cherax.call("POST", "/node/lock?locker=probe&ttl=1", server=1)
    assert status == 409, answer
    return dict(answer["holder"])


def wait_for_relocks(cherax: Cherax, count: int) -> None:
    """The lock was extended that often: what is left of it has grown."""
    last, seen = holder(cherax)["expires_in"], 0

    def were_enough() -> bool:
        nonlocal last, seen
        left = holder(cherax)["expires_in"]
        seen += left > last
        last = left
        return seen >= count

    wait_until(were_enough, f"the lock was extended {count} times", 20, pause=0.1)


def test_a_slow_list_does_not_hold_up_a_backup_with_a_short_lock(cherax: Cherax) -> None:
    lists: list[tuple[int, Any]] = []
    write(Path(cherax.configs[0]["node"]["root"]) / "new", b"new " * 1000)
    with stalled(cherax.directory / "slow"):
        asking = [
            threading.Thread(target=lambda: lists.append(cherax.call("GET", "/list?storage=slow"))) for _ in range(6)
        ]
        for thread in asking:
            thread.start()
        wait_until(lambda: len(lists) == 5, "all but one list are refused", 20)
        assert {(status, answer["detail"]) for status, answer in lists} == {(429, "Already caching list result")}
        with stalled(cherax.store):
            number = cherax.start_operation("backup")
            wait_for_step(cherax, "backup", number, 2)
            wait_for_relocks(cherax, 3)
            for method, path, expected in (
                ("GET", f"/backup/{number}", 200),
                ("PUT", f"/backup/{number}/sub-result", 200),
                ("GET", "/", 200),
                ("GET", "/busy", 200),
                ("GET", "/node/metadata", 200),
                ("POST", "/node/lock?locker=other&ttl=2", 409),
                ("POST", "/node/relock?locker=other&ttl=2", 403),
                ("POST", "/backup", 409),
            ):
                assert timed(cherax, method, path) == expected, path
        assert cherax.wait_for_operation("backup", number)["state"] == "done"
        assert len(lists) == 5, "the first list still waits"
    for thread in asking:
        thread.join(20)
    (answer,) = [answer for status, answer in lists if status == 200]
    assert [len(storage["backups"]) for storage in answer["storages"]] == [1]


def test_an_operation_keeps_its_locks_while_the_store_hangs_and_goes_on_afterwards(cherax: Cherax) -> None:
    write(Path(cherax.configs[1]["node"]["root"]) / "new", b"new " * 1000)
    for step, only_writes in ((2, False), (3, True)):
        with stalled(cherax.store, only_writes=only_writes):
            number = cherax.start_operation("backup")
            wait_for_step(cherax, "backup", number, step)
            wait_for_relocks(cherax, 3)
        assert cherax.wait_for_operation("backup", number)["state"] == "done"
        write(Path(cherax.configs[1]["node"]["root"]) / "new", b"newer " * 1000)
    assert len(objects(cherax, "json")) == 3
    assert unlocked(cherax, [0, 1])


def test_a_lock_that_somebody_takes_away_ends_a_backup_that_hangs(cherax: Cherax) -> None:
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        locker = holder(cherax)["locker"]
        assert cherax.call("POST", f"/node/unlock?locker={locker}", server=1)[0] == 200
        assert cherax.call("POST", "/node/lock?locker=thief&ttl=60", server=1)[0] == 200
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "fail" and cherax.servers[1].url in status["error"]
    assert status["attempt"] == 1, "what lost its lock is not tried again"
    assert len(objects(cherax, "json")) == 1
    assert holder(cherax)["locker"] == "thief"
