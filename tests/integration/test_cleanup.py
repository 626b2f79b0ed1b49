"""Deleting: what the rules and the names say goes, with the blocks that only it needs, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.cherax import Cherax

from .support import (
    OLD,
    coordinate,
    get_object,
    make_roots,
    manifest,
    objects,
    put_object,
    root_of,
    sidecar,
    tree,
    without_encryption,
    write,
)

KEEP_ALL = {"minimum_backups": 1000}
A_DAY = 86_400


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    """One node with four backups, each with a file of its own and some that all have; blocks of any age go."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 1)) as cherax:
        without_encryption(cherax)
        coordinate(cherax, gc_grace=0)
        cherax.start()
        for number in range(4):
            write(root_of(cherax) / "changing", content_of(number), mtime=OLD + number)
            cherax.backup()
        yield cherax


def content_of(number: int) -> bytes:
    return f"version {number} ".encode() * 1000


def digest_of(content: bytes) -> str:
    return hashlib.blake2s(content).hexdigest()


def names(cherax: Cherax) -> list[str]:
    return [path.name for path in objects(cherax, "json")]


def cleanup(cherax: Cherax, **request: Any) -> None:
    status = cherax.run_operation("cleanup", request)
    assert status["state"] == "done", status


def assert_restores(cherax: Cherax, name: str, number: int) -> None:
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    assert (root_of(cherax) / "changing").read_bytes() == content_of(number)


def assert_blocks(cherax: Cherax, numbers: list[int]) -> None:
    """Exactly the blocks of those versions, and those that all backups share."""
    shared = {digest_of((root_of(cherax) / name).read_bytes()) for name in ("own", "shared")}
    expected = shared | {digest_of(content_of(number)) for number in numbers}
    assert {path.name for path in objects(cherax, "data")} == expected
    assert all(sidecar(path).exists() for path in objects(cherax, "data"))
    assert len(list((cherax.store / "data").iterdir())) == 2 * len(expected)


def test_the_configured_retention_keeps_its_minimum(cherax: Cherax) -> None:
    before = names(cherax)
    assert cherax.client("cleanup").exit_code == 0
    assert names(cherax) == before
    assert_blocks(cherax, [0, 1, 2, 3])


def test_a_maximum_keeps_the_newest_and_the_blocks_that_they_share(cherax: Cherax) -> None:
    before = names(cherax)
    cleanup(cherax, retention={"minimum_backups": 1, "maximum_backups": 2})
    assert names(cherax) == before[2:]
    assert_blocks(cherax, [2, 3])
    assert_restores(cherax, before[2], 2)
    assert_restores(cherax, before[3], 3)


def test_the_command_line_asks_the_same(cherax: Cherax) -> None:
    before = names(cherax)
    cherax.client("cleanup", "--minimum-backups", "1", "--maximum-backups", "3").require_success()
    assert names(cherax) == before[1:]
    assert len(cherax.backups()) == 3


def test_explicit_names_may_be_full_or_as_the_list_prints_them(cherax: Cherax) -> None:
    before = names(cherax)
    short = before[1].removeprefix("backup-")
    cleanup(cherax, explicit_delete=[before[0], short], retention=KEEP_ALL)
    assert names(cherax) == before[2:]
    assert_blocks(cherax, [2, 3])
    assert_restores(cherax, before[2], 2)
    told = cherax.client("delete", "--backups", before[2].removeprefix("backup-"), before[3])
    assert told.exit_code == 0 and names(cherax) == []
    assert list((cherax.store / "data").iterdir()) == []


@pytest.mark.parametrize("unknown", ["2020-01-01T00:00:00+00:00", "backup-none", "../data/x", ""])
def test_an_unknown_name_is_told_and_nothing_deleted(unknown: str, cherax: Cherax) -> None:
    before, blocks = names(cherax), objects(cherax, "data")
    status = cherax.run_operation("cleanup", {"explicit_delete": [before[0], unknown]})
    assert status["state"] == "fail" and unknown in status["error"]
    assert names(cherax) == before and objects(cherax, "data") == blocks
    told = cherax.client("delete", "--backups", before[0], unknown or "none")
    assert told.exit_code == 1 and (unknown or "none") in told.stderr
    assert names(cherax) == before


def test_a_delete_without_names_deletes_nothing(cherax: Cherax) -> None:
    before = names(cherax)
    for body in ({"explicit_delete": []}, {"explicit_delete": None}, {}):
        assert cherax.run_operation("cleanup", body)["state"] == "done"
    assert names(cherax) == before


def test_numbers_below_zero_are_refused_and_nothing_deleted(cherax: Cherax) -> None:
    before = names(cherax)
    for key in ("minimum_backups", "maximum_backups", "keep_days"):
        status, answer = cherax.call("POST", "/cleanup", {"retention": {key: -1}})
        if status == 200:
            assert cherax.wait_for_operation("cleanup", answer["op_id"])["state"] == "fail"
    assert names(cherax) == before


def test_young_blocks_are_left_to_the_backups_that_may_need_them(cherax: Cherax) -> None:
    cherax.stop()
    coordinate(cherax, gc_grace=A_DAY)
    cherax.start()
    for number in (0, 1):
        path = cherax.store / "data" / digest_of(content_of(number))
        age = time.time() - (2 * A_DAY if number == 0 else A_DAY / 2)
        os.utime(path, (age, age))
    before = names(cherax)
    cleanup(cherax, retention={"minimum_backups": 1, "maximum_backups": 1})
    assert names(cherax) == before[3:]
    assert_blocks(cherax, [1, 2, 3])


def test_what_is_no_block_stays(cherax: Cherax) -> None:
    put_object(cherax.store, "data/README", b"not a digest")
    (cherax.store / "data" / ".hidden").write_text("hidden")
    (cherax.store / "other").mkdir()
    (cherax.store / "other" / ("0" * 64)).write_text("elsewhere")
    cleanup(cherax, explicit_delete=names(cherax), retention=KEEP_ALL)
    assert names(cherax) == []
    left = {str(path.relative_to(cherax.store)) for path in cherax.store.rglob("*") if path.is_file()}
    assert left - {".cherax.lock"} == {"data/README", "data/README.metadata", "data/.hidden", "other/" + "0" * 64}


def aged(cherax: Cherax, name: str, days: float, new_name: str) -> None:
    """A copy of a manifest under another name, as if it had ended that many days ago."""
    document = json.loads(get_object(cherax.store, f"json/{name}"))
    moment = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    document["start"] = document["end"] = moment
    put_object(cherax.store, f"json/{new_name}", json.dumps(document).encode())


def test_old_backups_go_but_never_below_the_minimum(cherax: Cherax) -> None:
    before = names(cherax)
    for number, days in enumerate((30, 20, 10, 6)):
        aged(cherax, before[number], days, f"backup-2020-01-0{number + 1}T00:00:00+00:00")
    cleanup(cherax, explicit_delete=before, retention={"minimum_backups": 2, "keep_days": 7})
    assert names(cherax) == ["backup-2020-01-03T00:00:00+00:00", "backup-2020-01-04T00:00:00+00:00"]
    assert_blocks(cherax, [2, 3])
    cleanup(cherax, retention={"minimum_backups": 1, "keep_days": 7})
    assert names(cherax) == ["backup-2020-01-04T00:00:00+00:00"]
    assert_blocks(cherax, [3])


def test_deltas_live_as_long_as_a_backup_that_is_older(cherax: Cherax) -> None:
    before = names(cherax)
    aged(cherax, before[0], 10, "delta-2020-01-01T00:00:00+00:00")
    aged(cherax, before[1], -1, "delta-2020-01-02T00:00:00+00:00")
    cleanup(cherax, retention={"minimum_backups": 1, "maximum_backups": 1})
    assert names(cherax) == [before[3], "delta-2020-01-02T00:00:00+00:00"]
    assert_blocks(cherax, [1, 3])


def test_a_cleanup_needs_the_clusters_lock(cherax: Cherax) -> None:
    before = names(cherax)
    assert cherax.call("POST", "/node/lock?locker=somebody&ttl=60")[0] == 200
    status, answer = cherax.call("POST", "/cleanup", {"explicit_delete": before})
    assert status == 409 and answer["holders"][0]["locker"] == "somebody"
    assert cherax.call("POST", "/node/unlock?locker=somebody")[0] == 200
    assert names(cherax) == before


def test_a_cleanup_of_one_storage_leaves_the_others_alone(cherax: Cherax, tmp_path: Path) -> None:
    cherax.stop()
    other = tmp_path / "other"
    cherax.configs[0]["object_storage"]["storages"]["other"] = {"storage_type": "local", "directory": str(other)}
    cherax.start()
    put_object(other, "data/" + digest_of(b"x" * 1000), b"x" * 1000)
    before, blocks = names(cherax), objects(cherax, "data")
    cleanup(cherax, storage="other", retention={"minimum_backups": 0, "maximum_backups": 0})
    assert list((other / "data").iterdir()) == []
    assert names(cherax) == before and objects(cherax, "data") == blocks


def test_what_is_deleted_is_gone_from_every_servers_list(tmp_path: Path) -> None:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        cherax.start()
        first, second = cherax.backup(), cherax.backup(server=1)
        assert cherax.backup_names(server=1) == [first, second]
        cleanup(cherax, explicit_delete=[first])
        assert cherax.backup_names(server=0) == cherax.backup_names(server=1) == [second]
        assert manifest(cherax, second)["plugin"] == "files"
        status = cherax.run_operation("restore", {"name": first}, server=1)
        assert status["state"] == "fail" and first in status["error"]
        assert all(tree(Path(config["node"]["root"])) for config in cherax.configs)
