"""What several integration tests share: files to back up, clusters of `files` servers, a store that stalls."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.cherax import KEY_ID, Cherax
from harness.process import run, wait_until

# Old enough for the index to trust a file whose mtime has not changed.
OLD = time.time() - 3600

File = tuple[bytes, int]


def write(path: Path, content: bytes, mtime: float = OLD) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))


def tree(root: Path) -> dict[str, File]:
    """Content and mtime (ns) of each regular file below a root, by path."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            relative = path.relative_to(root)
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and ".astacus" not in relative.parts:
                found[str(relative)] = (path.read_bytes(), status.st_mtime_ns)
    return found


def make_roots(directory: Path, count: int) -> list[Path]:
    """Roots with a file of each root's own, one that all have, an embedded one and an empty one."""
    roots = [directory / f"root{number}" for number in range(count)]
    for number, root in enumerate(roots):
        write(root / "own", f"only here {number} ".encode() * 1000)
        write(root / "shared", b"everywhere " * 5000)
        write(root / "deep/small", b"embedded")
        write(root / "empty", b"")
    return roots


def root_of(cherax: Cherax, server: int = 0) -> Path:
    return Path(cherax.configs[server]["node"]["root"])


def roots(cherax: Cherax) -> list[Path]:
    return [root_of(cherax, server) for server in range(len(cherax.servers))]


def coordinate(cherax: Cherax, **settings: Any) -> None:
    """Sets keys of every server's `coordinator` section."""
    for config in cherax.configs:
        config["coordinator"].update(settings)


def unlocked(cherax: Cherax, servers: list[int]) -> bool:
    """Whether none of these servers' nodes is locked; takes and gives back each lock to find out."""
    return all(
        cherax.call("POST", "/node/lock?locker=probe&ttl=5", server=server)[0] == 200
        and cherax.call("POST", "/node/unlock?locker=probe", server=server)[0] == 200
        for server in servers
    )


def objects(cherax: Cherax, kind: str) -> list[Path]:
    """The objects below `data` or `json` in the store, sorted by name, without their sidecars."""
    directory = cherax.store / kind
    if not directory.exists():
        return []
    return sorted(path for path in directory.iterdir() if not path.name.endswith(".metadata"))


def sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".metadata")


def wait_for_step(cherax: Cherax, name: str, op_id: int, number: int, *, server: int = 0) -> None:
    """Waits until an operation has come to that step."""
    wait_until(
        lambda: cherax.operation(name, op_id, server=server).get("step", {}).get("number", 0) >= number,
        f"{name} {op_id} is at step {number}",
        30,
        pause=0.02,
    )


def wait_for_upload(cherax: Cherax) -> None:
    """Waits until a node has bytes of a block on their way into the store (which has to stall, or it is too late)."""
    wait_until(lambda: any((cherax.store / ".cherax.tmp").glob("*")), "an upload has begun", 30, pause=0.01)


def assert_restore_fails(cherax: Cherax, body: dict[str, Any], *says: str) -> str:
    """It ends as failed, with these words, and the first node is not locked any more; returns the whole error."""
    status = cherax.run_operation("restore", body)
    assert status["state"] == "fail", status
    for words in says:
        assert words in status["error"]
    assert unlocked(cherax, [0])
    return str(status["error"])


def assert_no_leftovers(cherax: Cherax) -> None:
    """Neither temporary files nor hard links of ours below the first root."""
    root = root_of(cherax)
    assert not [path for path in root.rglob("*.tmp")] and links(root) == []


def assert_nothing_left(cherax: Cherax, servers: list[int], *, killed: int | None = None) -> None:
    """No lock on these nodes, no locker to be remembered, and no temporary file and no hard link of ours on any node.

    Only one that was killed has those until its next start.
    """
    assert unlocked(cherax, servers)
    remembered = cherax.servers[0].db_path / "coordinator.lock"
    wait_until(lambda: not remembered.exists(), "no locker is remembered", 10)
    for server, root in enumerate(roots(cherax)):
        assert server == killed or (links(root) == [] and not list(root.rglob("*.tmp")))


def links(root: Path) -> list[Path]:
    """Files of Cherax' own below a root: hard links that would pin disk space."""
    return [path for path in (root / ".astacus").rglob("*") if path.is_file()]


@contextmanager
def stalled(store: Path, *, only_writes: bool = False) -> Iterator[None]:
    """While it lasts, whoever opens, looks for or stores an object in the store waits, as on a file server that hangs.

    With `only_writes`, objects are found and read, but none is stored or removed.
    """
    store.mkdir(parents=True, exist_ok=True)
    with (store / ".cherax.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if only_writes else fcntl.LOCK_EX)
        yield


def without_encryption(cherax: Cherax) -> None:
    """Objects are zstd only, so that a test can read and write them itself."""
    for config in cherax.configs:
        for key in ("encryption_key_id", "encryption_keys"):
            config["object_storage"].pop(key, None)


def put_object(store: Path, key: str, content: bytes) -> None:
    """Stores an object as Astacus does: zstd without encryption, and the sidecar."""
    path = store / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout)
    sidecar(path).write_text(json.dumps({"compression-algorithm": "zstd", "_hash": "0" * 64}))


def get_object(store: Path, key: str) -> bytes:
    """The content of an object of a store without encryption."""
    return subprocess.run(["zstd", "-d", "-q", "-c", store / key], capture_output=True, check=True).stdout


def manifest(cherax: Cherax, name: str) -> dict[str, Any]:
    """A backup's manifest, whole."""
    command = cherax.client_command("manifest", "-c", str(cherax.servers[0].config_path), "dump", name)
    return dict(json.loads(run(command).require_success().stdout))


def secrets_of(config: dict[str, Any]) -> list[str]:
    """The lines of the private key: none may be seen anywhere."""
    pem = str(config["object_storage"]["encryption_keys"][KEY_ID]["private"])
    return [line for line in pem.splitlines() if line and not line.startswith("-----")]
