"""Manifests that are broken, or written by somebody who means harm: refused before anything is touched."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cherax import Cherax

from .support import (
    assert_no_leftovers,
    assert_restore_fails,
    make_roots,
    objects,
    put_object,
    root_of,
    tree,
    without_encryption,
    write,
)

# The name of manifests that the tests write themselves.
CRAFTED = "backup-2020-01-01T00:00:00+00:00"


@contextmanager
def unencrypted(directory: Path) -> Iterator[Cherax]:
    """One node, whose store a test can write manifests into."""
    with Cherax.for_files(directory / "cherax", make_roots(directory, 1)) as cherax:
        without_encryption(cherax)
        cherax.start()
        yield cherax


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cherax]:
    with unencrypted(tmp_path_factory.mktemp("hostile")) as cherax:
        outside = root_of(cherax).parent / "outside"
        write(outside / "victim", b"untouched")
        (root_of(cherax) / "link").symlink_to(outside)
        (root_of(cherax) / "deep/link").symlink_to("../../outside")
        (root_of(cherax) / "victim").symlink_to(outside / "victim")
        (root_of(cherax) / "dangling").symlink_to(outside / "new")
        yield cherax


def embedded(path: Any, content: bytes = b"evil") -> dict[str, Any]:
    return {
        "relative_path": path,
        "file_size": len(content),
        "mtime_ns": 1_600_000_000_000_000_000,
        "content_b64": base64.b64encode(content).decode(),
    }


def manifest_of(files: list[dict[str, Any]], plugin: str, globs: list[str]) -> dict[str, Any]:
    """As Astacus writes it."""
    time = "2020-01-01T00:00:00Z"
    progress = {"handled": 0, "failed": 0, "total": 0, "final": True}
    hashes = [{"hexdigest": file["hexdigest"], "size": file["file_size"]} for file in files if "hexdigest" in file]
    snapshot = {
        "hostname": "x",
        "az": "",
        "progress": progress,
        "start": time,
        "end": time,
        "state": {"root_globs": globs, "files": files},
        "files": len(files),
        "total_size": 0,
        "hashes": hashes,
    }
    return {
        "start": time,
        "end": time,
        "attempt": 1,
        "snapshot_results": [snapshot],
        "upload_results": [],
        "plugin": plugin,
        "plugin_data": {},
        "filename": "",
        "tiered_storage_results": None,
    }


def put_manifest(
    cherax: Cherax, name: str, files: list[dict[str, Any]], *, plugin: str = "files", globs: tuple[str, ...] = ("**",)
) -> None:
    put_object(cherax.store, f"json/{name}", json.dumps(manifest_of(files, plugin, list(globs))).encode())


def everything(directory: Path) -> dict[str, tuple[str, bytes | str, int]]:
    """All below a directory, links not followed."""
    found = {}
    for path in directory.rglob("*"):
        if "cherax" in path.relative_to(directory).parts or ".astacus" in path.parts:
            continue
        status = path.lstat()
        content: bytes | str = ""
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = path.read_bytes()
        found[str(path)] = (oct(status.st_mode), content, 0 if path.is_dir() else status.st_mtime_ns)
    return found


def test_a_backup_of_another_plugin_is_refused(tmp_path: Path) -> None:
    with unencrypted(tmp_path) as cherax:
        put_manifest(cherax, CRAFTED, [], plugin="clickhouse")
        before = tree(root_of(cherax))
        assert_restore_fails(cherax, {"name": CRAFTED}, "clickhouse", "files")
        assert tree(root_of(cherax)) == before


HOSTILE_PATHS = [
    "../outside/evil",
    "..",
    ".",
    "",
    "/tmp/cherax-evil",
    "//tmp/cherax-evil",
    "deep/../../outside/evil",
    "deep/./evil",
    "deep//evil",
    "deep/evil/",
    "a\0b",
    "link/evil",
    "deep/link/evil",
    "link/victim",
    "victim",
    "dangling",
    "x" * 256,
    "a/" * 2100 + "b",
    ".cherax-links/evil",
    "cherax_index.db",
    "\ud800",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=[ascii(path)[:30] for path in HOSTILE_PATHS])
def test_a_path_that_leaves_the_root_is_refused_before_anything_is_touched(path: str, hostile: Cherax) -> None:
    files = [embedded("aaa good"), embedded(path), embedded("zzz good")]
    put_manifest(hostile, CRAFTED, files, globs=("**", path, f"{path}*"))
    before = everything(root_of(hostile).parent)
    assert_restore_fails(hostile, {"name": CRAFTED})
    assert everything(root_of(hostile).parent) == before
    assert not Path("/tmp/cherax-evil").exists()


@pytest.mark.parametrize("globs", [("*.db",), ("**",)], ids=["another glob", "a hidden name"])
def test_a_file_that_its_own_globs_do_not_cover_is_not_left_out_without_a_word(
    globs: tuple[str, ...], hostile: Cherax
) -> None:
    """A restore that is done has restored all that the backup holds."""
    put_manifest(hostile, CRAFTED, [embedded("good.db"), embedded(".hidden/wanted")], globs=globs)
    status = hostile.run_operation("restore", {"name": CRAFTED})
    restored = (root_of(hostile) / ".hidden/wanted").exists()
    assert restored or (status["state"] == "fail" and ".hidden/wanted" in status["error"])


HOSTILE_FILES: dict[str, list[dict[str, Any]]] = {
    "the same path twice": [embedded("twice"), embedded("twice")],
    "a file and a directory of one name": [embedded("both"), embedded("both/inner")],
    "a size that is not the content's": [{**embedded("x"), "file_size": 100}],
    "a negative size": [{**embedded("x"), "file_size": -1}],
    "content that is no base64": [{**embedded("x"), "content_b64": "?"}],
    "neither content nor digest": [{"relative_path": "x", "file_size": 1, "mtime_ns": 1}],
    "a digest that is a path": [
        {"relative_path": "x", "file_size": 1, "mtime_ns": 1, "hexdigest": "../json/" + "a" * 56}
    ],
    "a path that is a number": [embedded(5)],
    "a size beyond all disks": [
        {"relative_path": "x", "file_size": 2**63 - 1, "mtime_ns": 1, "hexdigest": "0" * 64}
    ],
}


@pytest.mark.parametrize("what", HOSTILE_FILES)
def test_a_file_that_cannot_be_is_refused_before_anything_is_touched(what: str, hostile: Cherax) -> None:
    put_manifest(hostile, CRAFTED, [embedded("aaa good"), *HOSTILE_FILES[what]])
    before = everything(root_of(hostile).parent)
    assert_restore_fails(hostile, {"name": CRAFTED})
    assert everything(root_of(hostile).parent) == before


def test_an_object_that_unpacks_to_more_than_its_size_is_cut_off(hostile: Cherax) -> None:
    bomb = bytes(50 << 20)
    digest = hashlib.blake2s(bomb).hexdigest()
    put_object(hostile.store, f"data/{digest}", bomb)
    put_manifest(
        hostile, CRAFTED, [{"relative_path": "bomb", "file_size": 1000, "mtime_ns": 1, "hexdigest": digest}]
    )
    assert_restore_fails(hostile, {"name": CRAFTED}, digest)
    assert not (root_of(hostile) / "bomb").exists()
    assert_no_leftovers(hostile)


@pytest.fixture
def with_broken_manifest(tmp_path: Path) -> Iterator[Cherax]:
    """A store with one good backup and one that is no JSON."""
    with unencrypted(tmp_path) as cherax:
        cherax.backup()
        put_object(cherax.store, f"json/{CRAFTED}", b'{"start": "2020-01-01T00:00:00Z", "end": ')
        yield cherax


def test_a_broken_manifest_cannot_be_restored_and_is_named(with_broken_manifest: Cherax) -> None:
    before = tree(root_of(with_broken_manifest))
    assert_restore_fails(with_broken_manifest, {"name": CRAFTED}, CRAFTED)
    assert tree(root_of(with_broken_manifest)) == before


def test_beside_a_broken_manifest_the_other_backups_are_restored_and_made(with_broken_manifest: Cherax) -> None:
    cherax = with_broken_manifest
    assert cherax.run_operation("restore")["state"] == "done"
    assert cherax.run_operation("backup")["state"] == "done"


def test_beside_a_broken_manifest_the_other_backups_are_listed(with_broken_manifest: Cherax) -> None:
    assert len(with_broken_manifest.backups()) == 1
    told = with_broken_manifest.client("list")
    assert told.exit_code == 0 and with_broken_manifest.backup_names()[0] in told.stdout


def test_as_long_as_a_manifest_is_broken_no_block_is_removed(with_broken_manifest: Cherax) -> None:
    cherax = with_broken_manifest
    before = objects(cherax, "data")
    status = cherax.run_operation("cleanup", {"retention": {"minimum_backups": 0, "maximum_backups": 0}})
    assert status["state"] == "fail" and CRAFTED in status["error"]
    assert objects(cherax, "data") == before


def test_a_broken_manifest_can_be_deleted_by_its_name(with_broken_manifest: Cherax) -> None:
    cherax = with_broken_manifest
    assert cherax.run_operation("cleanup", {"explicit_delete": [CRAFTED]})["state"] == "done"
    assert CRAFTED not in [path.name for path in objects(cherax, "json")]
    assert len(objects(cherax, "json")) == 1
