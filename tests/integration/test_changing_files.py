"""Files that come, go and change while they are backed up: the backup holds what was there at one moment, or fails."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.cherax import Cherax

from .support import (
    OLD,
    coordinate,
    links,
    make_roots,
    manifest,
    objects,
    root_of,
    stalled,
    tree,
    unlocked,
    wait_for_step,
    wait_for_upload,
    write,
)


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 1)) as cherax:
        cherax.start()
        yield cherax


@contextmanager
def meanwhile(work: Callable[[int], None]) -> Iterator[None]:
    """Calls `work` with 0, 1, 2, … on a thread of its own until the block is left; its failure is the test's."""
    stop = threading.Event()
    failures: list[Exception] = []

    def run() -> None:
        number = 0
        try:
            while not stop.is_set():
                work(number)
                number += 1
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failures, failures


def restored_elsewhere(cherax: Cherax, name: str) -> dict[str, bytes]:
    """The content of a backup's files, restored into an emptied root."""
    root = root_of(cherax)
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    return {path: content for path, (content, _) in tree(root).items()}


def test_files_that_come_and_go_do_not_disturb_a_backup(cherax: Cherax) -> None:
    root = root_of(cherax)
    for number in range(100):
        write(root / f"quiet/{number}", f"quiet {number} ".encode() * 100)
    quiet = {path: content for path, (content, _) in tree(root).items()}

    def churn(number: int) -> None:
        path = root / f"churn{number % 7}" / f"{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"{number};".encode() * 1000)
        if number >= 40:
            gone = number - 40
            (root / f"churn{gone % 7}" / f"{gone}").unlink()
        if number % 50 == 49:
            shutil.rmtree(root / f"churn{number % 7}", ignore_errors=True)
            for missing in range(number - 40, number + 1):
                (root / f"churn{missing % 7}").mkdir(exist_ok=True)
                (root / f"churn{missing % 7}" / f"{missing}").touch()

    names = []
    with meanwhile(churn):
        for _ in range(8):
            status = cherax.run_operation("backup")
            assert status["state"] == "done", status
            names.append(status["backup"])
    for name in names[-2:]:
        found = restored_elsewhere(cherax, name)
        assert {path: found[path] for path in quiet} == quiet
        for path in found.keys() - quiet.keys():
            number = Path(path).name
            assert found[path] in (b"", f"{number};".encode() * 1000)


def test_of_a_file_that_grows_the_backup_holds_its_beginning(cherax: Cherax) -> None:
    log = root_of(cherax) / "growing.log"
    log.touch()
    with log.open("ab", buffering=0) as out, meanwhile(lambda number: out.write(b"%09d\n" % number) and None):
        names = [cherax.run_operation("backup") for _ in range(3)]
        written = log.read_bytes()
    assert [status["state"] for status in names] == ["done"] * 3, names
    sizes = []
    for status in names:
        content = restored_elsewhere(cherax, status["backup"])["growing.log"]
        assert written.startswith(content)
        sizes.append(len(content))
    assert sizes == sorted(sizes) and sizes[-1] > 200


def test_a_file_that_changes_between_its_hash_and_its_upload_is_read_again(cherax: Cherax) -> None:
    own = root_of(cherax) / "own"
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        write(own, b"rewritten in place " * 1000, mtime=OLD + 1)
    status = cherax.wait_for_operation("backup", number)
    assert (status["state"], status["attempt"]) == ("done", 2)
    assert manifest(cherax, status["backup"])["attempt"] == 2
    assert [entry["attempt"] for entry in cherax.backups()] == [2]
    assert restored_elsewhere(cherax, status["backup"])["own"] == b"rewritten in place " * 1000


def test_a_file_that_changes_while_its_mtime_stands_still_never_sits_under_a_wrong_digest(cherax: Cherax) -> None:
    own = root_of(cherax) / "own"
    other = own.read_bytes().replace(b"here", b"HERE")
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        write(own, other)
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "done"
    assert restored_elsewhere(cherax, status["backup"])["own"] == other


def test_of_a_file_that_never_rests_a_backup_holds_one_version_or_fails_and_leaves_nothing(cherax: Cherax) -> None:
    path = root_of(cherax) / "restless"
    versions = [bytes([65 + version]) * 400_000 for version in range(4)]
    path.write_bytes(versions[0])
    with path.open("r+b", buffering=0) as out:

        def rewrite(number: int) -> None:
            out.seek(0)
            out.write(versions[number % 4])

        with meanwhile(rewrite):
            status = cherax.run_operation("backup")
    if status["state"] == "done":
        restored_elsewhere(cherax, status["backup"])
    else:
        assert "restless" in status["error"] and status["attempt"] == 5
        assert objects(cherax, "json") == []
    assert unlocked(cherax, [0]) and links(root_of(cherax)) == []


def test_a_file_that_is_cut_while_it_waits_for_its_upload_ends_in_the_backup_as_it_is_then(cherax: Cherax) -> None:
    shared = root_of(cherax) / "shared"
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        os.truncate(shared, 1000)
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "done", status
    assert len(restored_elsewhere(cherax, status["backup"])["shared"]) == 1000


def test_a_file_that_is_removed_after_the_snapshot_is_in_the_backup(cherax: Cherax) -> None:
    own = root_of(cherax) / "own"
    before = own.read_bytes()
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        own.unlink()
    status = cherax.wait_for_operation("backup", number)
    assert (status["state"], status["attempt"]) == ("done", 1)
    assert restored_elsewhere(cherax, status["backup"])["own"] == before


def test_a_file_that_is_replaced_after_the_snapshot_is_in_the_backup_as_it_was(cherax: Cherax) -> None:
    own = root_of(cherax) / "own"
    before = own.read_bytes()
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        write(own.with_name("new"), b"new " * 1000)
        own.with_name("new").rename(own)
    status = cherax.wait_for_operation("backup", number)
    assert (status["state"], status["attempt"]) == ("done", 1)
    assert restored_elsewhere(cherax, status["backup"])["own"] == before


def test_links_that_somebody_removes_cost_an_attempt_and_no_file(cherax: Cherax) -> None:
    before = {path: content for path, (content, _) in tree(root_of(cherax)).items()}
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        shutil.rmtree(root_of(cherax) / ".astacus")
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "done", status
    assert restored_elsewhere(cherax, status["backup"]) == before


def test_an_object_that_somebody_removes_during_a_backup_is_missed_before_the_manifest(cherax: Cherax) -> None:
    """One that was stored long ago, so that a cleanup of elsewhere may have taken it for garbage."""
    cherax.backup()
    for blob in objects(cherax, "data"):
        os.utime(blob, (OLD - 80_000, OLD - 80_000))
    write(root_of(cherax) / "new", b"new " * 1000)
    old = set(objects(cherax, "data"))
    with stalled(cherax.store, only_writes=True):
        number = cherax.start_operation("backup")
        wait_for_upload(cherax)
        for blob in old:
            blob.unlink()
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "done" and status["attempt"] == 2, status
    restored_elsewhere(cherax, status["backup"])


def test_what_could_not_be_stored_costs_all_attempts_and_leaves_nothing(tmp_path: Path) -> None:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        coordinate(cherax, backup_attempts=3)
        cherax.start()
        cherax.store.mkdir()
        (cherax.store / "data").write_bytes(b"in the way")
        status = cherax.run_operation("backup")
        assert (status["state"], status["attempt"]) == ("fail", 3)
        assert str(cherax.store / "data") in status["error"]
        log = cherax.servers[0].log.read_text()
        assert "attempt 1 of 3 failed" in log and "attempt 2 of 3 failed" in log
        assert objects(cherax, "json") == [] and unlocked(cherax, [0, 1])
        for config in cherax.configs:
            assert links(Path(config["node"]["root"])) == []
        told = cherax.client("backup")
        assert told.exit_code == 1 and "in the way" not in told.output and "data" in told.stderr
        (cherax.store / "data").unlink()
        assert cherax.run_operation("backup")["state"] == "done"
