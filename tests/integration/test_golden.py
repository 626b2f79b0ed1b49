"""Backups that Astacus made are restored file by file: content, size and mtime."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.cherax import default_binary
from harness.process import CHECKOUT, free_port, wait_until

GOLDEN = CHECKOUT / "tests/vectors/golden"
SAMPLES = sorted(path.parent.name for path in GOLDEN.glob("*/object_storage.json"))


def pem(der: Path, kind: str) -> str:
    text = base64.encodebytes(der.read_bytes()).decode()
    return f"-----BEGIN {kind} KEY-----\n{text}-----END {kind} KEY-----\n"


def tree(root: Path) -> dict[str, tuple[str, int, int]]:
    found = {}
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and ".astacus" not in path.relative_to(root).parts:
            status = path.stat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(root))] = (digest, status.st_mtime_ns, status.st_size)
    return found


def expected(sample: Path, backup: str, node: str) -> dict[str, tuple[str, int, int]]:
    lines = (sample / "expected/x" / backup / f"{node}.jsonl").read_text().splitlines()
    return {row["path"]: (row["sha256"], row["mtime_ns"], row["size"]) for row in map(json.loads, lines)}


def answers(port: int) -> bool:
    import urllib.request

    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).status == 200
    except OSError:
        return False


@pytest.mark.parametrize("name", SAMPLES)
def test_every_file_of_every_backup_comes_back(name: str, tmp_path: Path) -> None:
    sample = GOLDEN / name
    shutil.copytree(sample / "storage-x", tmp_path / "storage-x")
    storage = json.loads((sample / "object_storage.json").read_text().replace("@BASE@", str(tmp_path)))
    for key_id, pair in storage.get("encryption_keys", {}).items():
        pair["private"] = pem(GOLDEN / f"keys/{key_id}.private.der", "PRIVATE")
        pair["public"] = pem(GOLDEN / f"keys/{key_id}.public.der", "PUBLIC")
    backups = sorted(path.name for path in (sample / "expected/x").iterdir())
    nodes = sorted({path.stem for path in (sample / "expected/x").glob("*/*.jsonl")})
    ports = [free_port() for _ in nodes]
    coordinator = json.loads((sample / "server-config-node1.json").read_text().replace("@BASE@", str(tmp_path)))["coordinator"]
    coordinator["nodes"] = [{"url": f"http://127.0.0.1:{port}/node"} for port in ports]
    processes = []
    try:
        for node, port in zip(nodes, ports):
            root = tmp_path / node / "root"
            root.mkdir(parents=True)
            config = {
                "coordinator": coordinator,
                "node": {"root": str(root), "db_path": str(tmp_path / node / "db")},
                "object_storage": storage,
                "uvicorn": {"port": port, "log_level": "info"},
            }
            path = tmp_path / node / "cherax.json"
            path.write_text(json.dumps(config))
            with (tmp_path / node / "log").open("wb") as log:
                processes.append(subprocess.Popen([default_binary(), "server", "-c", path], stdout=log, stderr=log))
        for port in ports:
            wait_until(lambda: answers(port), f"port {port} answers", 30, pause=0.05)
        for backup in backups:
            command = [default_binary(), "-u", f"http://127.0.0.1:{ports[0]}", "-w", "120", "restore", "--backup", backup]
            done = subprocess.run(command, capture_output=True, text=True, timeout=180)
            assert done.returncode == 0, done.stderr
            for node in nodes:
                assert tree(tmp_path / node / "root") == expected(sample, backup, node), f"{backup} on {node}"
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(30) for process in processes]
    assert codes == [0] * len(processes)
