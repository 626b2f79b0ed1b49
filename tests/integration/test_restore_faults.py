"""Restores that cannot be: told before anything is touched where that can be known, and never half a file."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cherax import KEY_ID, Cherax, new_key_pair

from .support import (
    OLD,
    assert_no_leftovers,
    assert_restore_fails,
    make_roots,
    objects,
    root_of,
    sidecar,
    tree,
    unlocked,
    write,
)

BIG = os.urandom(300_000)


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    """One node with a backup of `own`, `shared`, `big` and two embedded files, all lost since but `own`."""
    (root,) = make_roots(tmp_path, 1)
    write(root / "big", BIG)
    with Cherax.for_files(tmp_path / "cherax", [root]) as cherax:
        cherax.start()
        cherax.backup()
        for name in ("shared", "big", "deep/small", "empty"):
            (root / name).unlink()
        yield cherax


def restart(cherax: Cherax) -> None:
    cherax.stop()
    cherax.start()


def blob(cherax: Cherax, content: bytes) -> Path:
    return cherax.store / "data" / hashlib.blake2s(content).hexdigest()


# --- which backup ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["2020-01-01T00:00:00+00:00", "backup-nope", "../../etc/passwd", "a b", "x" * 5000])
def test_an_unknown_backup_is_named_with_those_that_there_are(name: str, cherax: Cherax) -> None:
    before = tree(root_of(cherax))
    error = assert_restore_fails(cherax, {"name": name}, name[:20])
    assert len(error) < 1000
    if name.startswith("2020"):
        assert cherax.backup_names()[0] in error
    assert tree(root_of(cherax)) == before
    told = cherax.restore(name)
    assert told.exit_code == 1 and name[:20] in told.stderr


def test_without_a_name_it_is_the_latest_backup_and_nothing_else(cherax: Cherax) -> None:
    write(root_of(cherax) / "own", b"newer " * 1000)
    name = cherax.backup()
    write(root_of(cherax) / "own", b"newest " * 1000)
    path = objects(cherax, "json")[-1]
    for other in ("delta-2999-01-01T00:00:00+00:00", "zzz"):  # is no backup, though it comes last
        copy = path.with_name(other)
        copy.write_bytes(path.read_bytes())
        sidecar(copy).write_bytes(sidecar(path).read_bytes())
    status = cherax.run_operation("restore")
    assert (status["state"], status["backup"]) == ("done", f"backup-{name}")
    assert (root_of(cherax) / "own").read_bytes() == b"newer " * 1000


def test_an_empty_storage_says_that_it_holds_no_backup(tmp_path: Path) -> None:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 1)) as cherax:
        cherax.start()
        assert_restore_fails(cherax, {}, "no backup", str(cherax.store))
        assert cherax.backups() == []


def test_a_backup_of_more_nodes_than_there_are_is_refused(tmp_path: Path) -> None:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        cherax.start()
        name = cherax.backup()
        cherax.stop()
        cherax.configs[0]["coordinator"]["nodes"].pop()
        cherax.start()
        before = tree(root_of(cherax))
        assert_restore_fails(cherax, {"name": name}, "2 nodes", "1")
        assert tree(root_of(cherax)) == before


# --- objects ---------------------------------------------------------------------------------------------------------


def corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def truncate_as_astacus_would(path: Path) -> None:
    """Its sidecars have no size."""
    truncate(path)
    text = json.loads(sidecar(path).read_text())
    del text["_size"]
    sidecar(path).write_text(json.dumps(text))


def no_sidecar(path: Path) -> None:
    sidecar(path).unlink()


def unknown_compression(path: Path) -> None:
    sidecar(path).write_text(sidecar(path).read_text().replace("zstd", "brotli"))


def not_compressed(path: Path) -> None:
    """The sidecar hides the compression, so that the bytes are other ones."""
    sidecar(path).write_text(sidecar(path).read_text().replace('"compression-algorithm":"zstd",', ""))


@pytest.mark.parametrize(
    "damage",
    [corrupt, truncate, truncate_as_astacus_would, no_sidecar, unknown_compression, not_compressed, Path.unlink],
)
def test_a_damaged_object_is_named_and_no_part_of_it_gets_a_name(
    damage: Callable[[Path], None], cherax: Cherax
) -> None:
    path = blob(cherax, BIG)
    whole, whole_sidecar = path.read_bytes(), sidecar(path).read_bytes()
    damage(path)
    assert_restore_fails(cherax, {}, path.name, "big")
    assert not (root_of(cherax) / "big").exists()
    assert_no_leftovers(cherax)
    path.write_bytes(whole)
    sidecar(path).write_bytes(whole_sidecar)
    assert cherax.run_operation("restore")["state"] == "done"
    assert (root_of(cherax) / "big").read_bytes() == BIG


def test_an_object_with_anothers_content_is_refused(cherax: Cherax) -> None:
    path = blob(cherax, BIG)
    other = blob(cherax, (root_of(cherax) / "own").read_bytes())
    path.write_bytes(other.read_bytes())
    sidecar(path).write_bytes(sidecar(other).read_bytes())
    assert_restore_fails(cherax, {}, path.name)
    assert not (root_of(cherax) / "big").exists()


def test_the_next_backup_stores_a_truncated_or_missing_object_again(cherax: Cherax) -> None:
    root = root_of(cherax)
    write(root / "big", BIG)
    for damage in (truncate, no_sidecar, Path.unlink):
        damage(blob(cherax, BIG))
        cherax.backup()
        (root / "big").unlink()
        assert cherax.run_operation("restore")["state"] == "done"
        assert (root / "big").read_bytes() == BIG


def test_a_file_that_is_there_already_needs_no_object(cherax: Cherax) -> None:
    (root_of(cherax) / "big").write_bytes(BIG)
    blob(cherax, BIG).unlink()
    assert cherax.run_operation("restore")["state"] == "done"


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_told_by_its_id(cherax: Cherax) -> None:
    public, private = new_key_pair("other")
    cherax.configs[0]["object_storage"]["encryption_keys"][KEY_ID] = {"public": public, "private": private}
    restart(cherax)
    before = tree(root_of(cherax))
    name = objects(cherax, "json")[0].name
    assert_restore_fails(cherax, {"name": name}, name, "another key")
    assert tree(root_of(cherax)) == before


def test_a_missing_private_key_is_told_by_its_id_and_a_backup_needs_none(cherax: Cherax) -> None:
    del cherax.configs[0]["object_storage"]["encryption_keys"][KEY_ID]["private"]
    restart(cherax)
    assert_restore_fails(cherax, {"name": objects(cherax, "json")[0].name}, KEY_ID, "private key")
    assert cherax.run_operation("backup")["state"] == "done"


def test_objects_of_an_older_key_stay_readable(cherax: Cherax) -> None:
    public, private = new_key_pair("other")
    cherax.configs[0]["object_storage"]["encryption_keys"]["key2"] = {"public": public, "private": private}
    cherax.configs[0]["object_storage"]["encryption_key_id"] = "key2"
    restart(cherax)
    assert cherax.run_operation("restore")["state"] == "done"
    assert (root_of(cherax) / "big").read_bytes() == BIG
    write(root_of(cherax) / "new", b"new " * 1000)
    cherax.backup()
    ids = {json.loads(path.read_text())["encryption-key-id"] for path in (cherax.store / "data").glob("*.metadata")}
    assert ids == {KEY_ID, "key2"}


def test_a_list_that_cannot_be_read_says_why(cherax: Cherax) -> None:
    public, private = new_key_pair("other")
    cherax.configs[0]["object_storage"]["encryption_keys"][KEY_ID] = {"public": public, "private": private}
    restart(cherax)
    name = objects(cherax, "json")[0].name
    told = cherax.client("list")
    assert name in told.output and "another key" in told.output


# --- space -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_file_system(tmp_path: Path) -> Iterator[Path]:
    """One of 1 MiB. Needs root."""
    directory = tmp_path / "small"
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "cherax-test", directory], check=True)
    yield directory
    subprocess.run(["umount", directory], check=True)


@pytest.fixture
def cramped(tmp_path: Path, small_file_system: Path) -> Iterator[Cherax]:
    """Two nodes with a backup whose second half needs 3 MiB, where there is 1 now; both roots hold other files."""
    roots = make_roots(tmp_path, 2)
    for number in range(3):
        write(roots[1] / f"big{number}", os.urandom(1 << 20))
    with Cherax.for_files(tmp_path / "cherax", roots) as cherax:
        cherax.start()
        cherax.backup()
        cherax.stop()
        cherax.configs[1]["node"]["root"] = str(small_file_system)
        write(small_file_system / "precious", b"precious " * 100)
        write(roots[0] / "own", b"changed since " * 100)
        cherax.start()
        yield cherax


def test_a_restore_that_needs_more_space_than_there_is_touches_nothing_on_that_node(cramped: Cherax) -> None:
    before = tree(root_of(cramped, 1))
    assert_restore_fails(cramped, {}, cramped.servers[1].url, "room", str(root_of(cramped, 1)))
    assert tree(root_of(cramped, 1)) == before
    assert unlocked(cramped, [0, 1])


def test_a_restore_that_one_node_has_no_space_for_touches_no_other_node_either(cramped: Cherax) -> None:
    before = tree(root_of(cramped, 0))
    assert_restore_fails(cramped, {}, "room")
    assert tree(root_of(cramped, 0)) == before


def test_files_that_are_replaced_count_as_space(tmp_path: Path, small_file_system: Path) -> None:
    """600 KiB of other bytes are where 600 KiB shall be: 1 MiB is enough, file by file."""
    for number in range(6):
        write(small_file_system / f"file{number}", os.urandom(100 << 10))
    with Cherax.for_files(tmp_path / "cherax", [small_file_system]) as cherax:
        cherax.configs[0]["node"]["parallel"]["downloads"] = 1
        cherax.start()
        cherax.backup()
        before = tree(small_file_system)
        for number in range(6):
            write(small_file_system / f"file{number}", os.urandom(100 << 10), mtime=OLD + 1)
        assert cherax.run_operation("restore")["state"] == "done"
        assert tree(small_file_system) == before


