"""The `files` plugin through three real servers: backup, dedupe, restore."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cherax import Cherax

from .support import make_roots, objects, roots, tree, write


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 3)) as cherax:
        cherax.start()
        yield cherax


def test_restores_changed_lost_and_added_files(cherax: Cherax) -> None:
    before = [tree(root) for root in roots(cherax)]
    name = cherax.backup()
    (roots(cherax)[0] / "own").unlink()
    write(roots(cherax)[1] / "shared", b"changed")
    write(roots(cherax)[2] / "surplus", b"x" * 1000)
    cherax.restore(name, server=1).require_success()
    assert [tree(root) for root in roots(cherax)] == before


def test_stores_each_content_once_and_unchanged_files_not_again(cherax: Cherax) -> None:
    cherax.backup()
    assert len(objects(cherax, "data")) == 4, "three own files and the shared one"
    write(roots(cherax)[0] / "new", b"new " * 1000)
    cherax.backup(server=2)
    first, second = sorted(cherax.backups(), key=lambda backup: backup["start"])
    assert (first["upload_size"], second["upload_size"]) == (3 * 12000 + 55000, 4000)
    assert second["nodes"] == 3 and second["files"] == 13 and second["cluster_files"] == 7


def test_leaves_no_hard_link_behind(cherax: Cherax) -> None:
    cherax.backup()
    assert all(path.stat().st_nlink == 1 for root in roots(cherax) for path in root.rglob("*") if path.is_file())


def test_two_backups_in_one_second_get_two_names(cherax: Cherax) -> None:
    names = {cherax.backup() for _ in range(4)}
    assert len(names) == 4


def test_a_second_operation_is_refused_and_told_who_holds_the_lock(cherax: Cherax) -> None:
    assert cherax.call("POST", "/node/lock?locker=somebody&ttl=60", server=1) == (200, {"locked": True})
    status, answer = cherax.call("POST", "/backup")
    assert status == 409
    assert answer["detail"]["code"] == "cluster_lock_unavailable"
    assert [(holder["node"], holder["locker"]) for holder in answer["holders"]] == [(cherax.servers[1].url, "somebody")]
    refused = cherax.client("backup")
    assert refused.exit_code == 1 and "somebody" in refused.stderr
    assert cherax.call("POST", "/node/unlock?locker=somebody", server=1)[0] == 200
    cherax.backup()


def test_an_unchanged_file_is_never_read_twice_not_even_after_a_restart(cherax: Cherax) -> None:
    for root in roots(cherax):
        write(root / "big", os.urandom(8 << 20))
    cherax.backup()
    cherax.stop()
    cherax.start()
    before = cherax.bytes_read()
    cherax.backup()
    assert cherax.bytes_read() - before < 4 << 20
