"""What a tree of files may be, and what comes back of it."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cherax import Cherax

from .support import OLD, coordinate, make_roots, manifest, objects, root_of, tree, write


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 1)) as cherax:
        coordinate(cherax, backup_attempts=1)
        cherax.start()
        yield cherax


def empty(root: Path) -> None:
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def restored(cherax: Cherax) -> dict[str, tuple[bytes, int]]:
    """The files of a new backup, after a restore into an emptied root."""
    name = cherax.backup()
    empty(root_of(cherax))
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    return tree(root_of(cherax))


def test_a_file_with_holes_gets_them_back(cherax: Cherax) -> None:
    path = root_of(cherax) / "sparse"
    write(path, b"begin")
    os.truncate(path, 3_000_000)
    os.utime(path, (OLD, OLD))
    before = tree(root_of(cherax))
    assert path.stat().st_blocks * 512 < 100_000
    assert restored(cherax) == before
    assert path.stat().st_blocks * 512 < 100_000
    (files,) = (result["state"]["files"] for result in manifest(cherax, cherax.backup())["snapshot_results"])
    sizes = {file["relative_path"]: file.get("allocated_size") for file in files}
    assert 0 < sizes.pop("sparse") < 100_000
    assert set(sizes.values()) == {None}


ODD_NAMES = [
    "with space",
    "with\nnewline",
    "with\ttab",
    "\"double\" and 'single'",
    "back\\slash",
    "*",
    "[a]?{b,c}",
    "-rf",
    "$(touch evil)",
    "%00%2e%2e",
    "trailing.",
    " ",
    "~",
    "ünïcødé 漢字 🦀",
    "e\u0301 is not \u00e9",
    "\u202egnp",
    "\x01\x1f\x7f",
    "n" * 255,
    "漢" * 85,
    "name.metadata",
    "astacus",
    "d" * 255 + "/" + "e" * 255 + "/" + "f" * 255,
]


def test_odd_names_come_back(cherax: Cherax) -> None:
    for number, name in enumerate(ODD_NAMES):
        write(root_of(cherax) / name, f"small {number}".encode())
        write(root_of(cherax) / "in" / name, f"large {number} ".encode() * 100)
    before = tree(root_of(cherax))
    assert len(before) == 4 + 2 * len(ODD_NAMES)
    assert restored(cherax) == before


def test_a_name_that_is_not_utf8_is_told(cherax: Cherax) -> None:
    path = os.fsencode(root_of(cherax)) + b"/deep/caf\xe9"
    with open(path, "wb"):
        pass
    status = cherax.run_operation("backup")
    assert status["state"] == "fail" and "deep/caf\\xe9" in status["error"] and "UTF-8" in status["error"]
    assert objects(cherax, "json") == []


def test_sizes_around_the_limit_of_embedding_come_back(cherax: Cherax) -> None:
    for size in (0, 1, 199, 200, 201, 4095, 4096, 4097, (1 << 20) - 1, 1 << 20, (1 << 20) + 1):
        write(root_of(cherax) / f"size{size}", os.urandom(size))
    before = tree(root_of(cherax))
    assert restored(cherax) == before
    (snapshot,) = manifest(cherax, cherax.backup_names()[0])["snapshot_results"]
    embedded = {file["relative_path"] for file in snapshot["state"]["files"] if "content_b64" in file}
    assert embedded == {"size0", "size1", "size199", "size200", "deep/small", "empty"}


def test_times_come_back_to_the_nanosecond(cherax: Cherax) -> None:
    times = [0, 1, -1, 999_999_999, -1_500_000_001, 1_700_000_000_123_456_789, 4_102_444_800_000_000_001]
    for number, time_ns in enumerate(times):
        for kind, content in (("small", b"x"), ("large", f"{number} ".encode() * 500)):
            path = root_of(cherax) / f"{kind}{number}"
            path.write_bytes(content)
            os.utime(path, ns=(0, time_ns))
    before = tree(root_of(cherax))
    assert sorted({mtime for _, mtime in before.values()} & set(times)) == sorted(times)
    assert restored(cherax) == before


def test_a_time_alone_is_corrected_without_reading_an_object(cherax: Cherax) -> None:
    before = tree(root_of(cherax))
    name = cherax.backup()
    os.utime(root_of(cherax) / "own", (OLD + 5, OLD + 5))
    for blob in objects(cherax, "data"):
        blob.unlink()
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    assert tree(root_of(cherax)) == before


def test_restored_files_are_not_for_everybody_and_belong_to_their_directorys_owner(cherax: Cherax) -> None:
    root = root_of(cherax)
    write(root / "theirs/deep/file", b"x" * 1000)
    name = cherax.backup()
    shutil.rmtree(root / "theirs")
    (root / "own").unlink()
    os.chown(root, 12345, 23456)
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    for path in (root / "own", root / "theirs", root / "theirs/deep", root / "theirs/deep/file"):
        status = path.stat()
        assert (status.st_uid, status.st_gid) == (12345, 23456), path
        if path.is_file():
            mode = stat.S_IMODE(status.st_mode)
            assert mode & 0o640 == 0o640 and mode & 0o007 == 0, oct(mode)


def test_what_is_no_regular_file_is_passed_over(cherax: Cherax) -> None:
    root = root_of(cherax)
    os.mkfifo(root / "fifo")
    (root / "to file").symlink_to("own")
    (root / "to directory").symlink_to("deep")
    (root / "to nowhere").symlink_to("/nonexistent")
    (root / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(root)
        try:
            listening.bind("socket")
        finally:
            os.chdir("/")
        name = cherax.backup()
        (snapshot,) = manifest(cherax, name)["snapshot_results"]
        paths = [file["relative_path"] for file in snapshot["state"]["files"]]
        assert paths == ["deep/small", "empty", "own", "shared"]
        (root / "own").unlink()
        assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    assert os.readlink(root / "to file") == "own" and (root / "to directory").is_symlink()
    assert stat.S_ISFIFO((root / "fifo").lstat().st_mode) and stat.S_ISSOCK((root / "socket").lstat().st_mode)


def test_what_no_glob_matches_is_neither_backed_up_nor_removed(tmp_path: Path) -> None:
    (root,) = make_roots(tmp_path, 1)
    for name in ("a.db", "deep/b.db", "deep/b.txt", ".hidden.db", ".dir/c.db", "deep/.dir/d.db"):
        write(root / name, name.encode())
    with Cherax.for_files(tmp_path / "cherax", [root], ["*.db", "**/*.txt", ".dir/*"]) as cherax:
        cherax.start()
        name = cherax.backup()
        (snapshot,) = manifest(cherax, name)["snapshot_results"]
        assert [file["relative_path"] for file in snapshot["state"]["files"]] == [".dir/c.db", "a.db", "deep/b.txt"]
        before = tree(root)
        for added in ("surplus.db", "deep/surplus.txt", ".dir/surplus", "surplus.dat", "deep/surplus.db"):
            write(root / added, b"added")
        assert cherax.run_operation("restore", {"name": name})["state"] == "done"
        assert tree(root).keys() == before.keys() | {"surplus.dat", "deep/surplus.db"}


def test_files_and_directories_change_places(cherax: Cherax) -> None:
    root = root_of(cherax)
    write(root / "first/inner", b"inner " * 100)
    write(root / "second", b"second " * 100)
    before = tree(root)
    first = cherax.backup()
    shutil.rmtree(root / "first")
    write(root / "first", b"a file now " * 100)
    (root / "second").unlink()
    write(root / "second/inner/most", b"a directory now " * 100)
    after = tree(root)
    second = cherax.backup()
    for name, expected in ((first, before), (second, after), (first, before)):
        assert cherax.run_operation("restore", {"name": name})["state"] == "done"
        assert tree(root) == expected


def test_of_one_content_one_object_is_stored_and_every_file_restored(tmp_path: Path) -> None:
    roots = make_roots(tmp_path, 3)
    content = os.urandom(100_000)
    for root in roots:
        for number in range(3):
            write(root / f"copy{number}", content, mtime=OLD + number)
        os.link(root / "copy0", root / "linked")
    before = [tree(root) for root in roots]
    with Cherax.for_files(tmp_path / "cherax", roots) as cherax:
        cherax.start()
        name = cherax.backup()
        assert len(objects(cherax, "data")) == 3 + 1 + 1
        for root in roots:
            empty(root)
        assert cherax.run_operation("restore", {"name": name})["state"] == "done"
        assert [tree(root) for root in roots] == before
        inodes = {(root / f"copy{number}").stat().st_ino for root in roots for number in range(3)}
        assert len(inodes) == 9, "each is a file of its own"


def test_uploads_are_spread_over_the_nodes_that_have_the_content(tmp_path: Path) -> None:
    roots = make_roots(tmp_path, 3)
    for root in roots:
        for number in range(30):
            write(root / f"everywhere{number}", f"{number:06} ".encode() * 5000)
    write(roots[2] / "only here", os.urandom(300_000))
    with Cherax.for_files(tmp_path / "cherax", roots) as cherax:
        cherax.start()
        results = manifest(cherax, cherax.backup())["upload_results"]
        assert [result["az"] for result in results] == ["az1", "az2", "az3"]
        sizes = [result["total_size"] for result in results]
        assert sum(sizes) == 30 * 35_000 + 300_000 + 3 * 12_000 + 55_000
        assert max(sizes) - min(sizes) <= 55_000
        assert all(0 < result["total_stored_size"] for result in results)
        assert cherax.backups()[0]["upload_size"] == sum(sizes)


def test_many_files_come_back_though_somebody_tidied_up_the_temporary_directory(cherax: Cherax) -> None:
    """As systemd-tmpfiles does. The results and the manifest are too large to stay in memory."""
    shutil.rmtree(cherax.directory / "tmp")
    for number in range(2000):
        write(root_of(cherax) / f"{number % 50}/{number}", f"{number} ".encode() * (number % 60))
    before = tree(root_of(cherax))
    assert restored(cherax) == before


def test_a_large_file_comes_back_without_memory_for_it(cherax: Cherax) -> None:
    path = root_of(cherax) / "large"
    with path.open("wb") as file:
        for number in range(96):
            file.write(os.urandom(1 << 16) * 16)
    os.utime(path, (OLD, OLD))
    before = tree(root_of(cherax))
    assert restored(cherax) == before
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{cherax.servers[0].pid}/status").read_text().splitlines()
    )
    assert int(status["VmHWM"].split()[0]) < 96 * 1024, "KiB"
