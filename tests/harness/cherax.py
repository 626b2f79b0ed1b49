"""Real Cherax servers, one for each node, on free ports of 127.0.0.1, with an object store in a local directory.

`Cherax.for_cassandra` serves the nodes of a CassandraCluster, `Cherax.for_files` plain directories. The configuration
of server i is the dictionary `configs[i]`: a test may edit it until `start`, which writes it out. A context manager:
leaving it stops every server.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .cassandra import CassandraCluster
from .process import CHECKOUT, Finished, free_port, run, tail, wait_until

STORAGE = "store"
KEY_ID = "key1"
START_TIMEOUT = 30.0
# A server that is asked to end while an operation runs may need to cancel it first.
STOP_TIMEOUT = 60.0


def default_binary() -> Path:
    return Path(os.environ.get("CHERAX_BIN", CHECKOUT / "build/dev/cherax"))


class CheraxServer:
    """One server process: `directory` holds its configuration, its log and its index."""

    def __init__(self, binary: Path, directory: Path, port: int) -> None:
        self.directory = directory
        self.url = f"http://127.0.0.1:{port}"
        self.config_path = directory / "cherax.yaml"
        self.log = directory / "cherax.log"
        self.db_path = directory / "db"
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.url} was not started"
        return self._process.pid

    def start(self, config: dict[str, Any]) -> None:
        """Writes the configuration and starts the server; returns when it answers."""
        self.db_path.mkdir(parents=True, exist_ok=True)
        self.config_path.touch(mode=0o600)
        self.config_path.write_text(yaml.safe_dump(config, sort_keys=False))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, "server", "-c", self.config_path],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                start_new_session=True,
            )
        wait_until(self._answers, f"{self.url} answers (log: {self.log})", START_TIMEOUT, pause=0.05)

    def stop(self) -> None:
        """Ends the server by SIGTERM; it must end with status 0."""
        exit_code = self._end(signal.SIGTERM)
        if exit_code not in (0, None):
            raise AssertionError(f"{self.url} ended with status {exit_code}:\n{tail(self.log)}")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """Sends SIGTERM and does not wait: `stop` does."""
        os.kill(self.pid, signal.SIGTERM)

    def bytes_read(self) -> int:
        """What the process has read so far by read(2) and its like, from files and sockets."""
        fields = dict(line.split(": ") for line in Path(f"/proc/{self.pid}/io").read_text().splitlines())
        return int(fields["rchar"])

    def _answers(self) -> bool:
        assert self._process is not None
        if (exit_code := self._process.poll()) is not None:
            raise AssertionError(f"{self._binary} ended with status {exit_code} at its start:\n{tail(self.log)}")
        try:
            return request("GET", self.url + "/", timeout=5)[0] == 200
        except OSError:
            return False

    def _end(self, number: signal.Signals) -> int | None:
        if self._process is None:
            return None
        self._process.send_signal(number)
        try:
            return self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{self.url} did not end in {STOP_TIMEOUT:.0f} s:\n{tail(self.log)}") from None
        finally:
            self._process = None


class Cherax:
    def __init__(
        self,
        directory: Path,
        *,
        plugin: str,
        plugin_config: dict[str, Any],
        nodes: Sequence[dict[str, Any]],
        binary: Path | None = None,
    ) -> None:
        """`nodes` are the `node` sections, without `db_path`."""
        self._binary = binary or default_binary()
        if not os.access(self._binary, os.X_OK):
            raise RuntimeError(f"no cherax at {self._binary}: build it, or say in CHERAX_BIN where it is")
        self.directory = directory
        self.store = directory / "store"
        ports = [free_port() for _ in nodes]
        self.servers = [CheraxServer(self._binary, directory / f"server{i + 1}", port) for i, port in enumerate(ports)]
        coordinator = {
            "nodes": [
                {"url": f"{server.url}/node", "az": node.get("az", "")} for server, node in zip(self.servers, nodes)
            ],
            "plugin": plugin,
            "plugin_config": plugin_config,
        }
        self.configs: list[dict[str, Any]] = [
            {
                "uvicorn": {"host": "127.0.0.1", "port": port, "log_level": "info"},
                "coordinator": copy.deepcopy(coordinator),
                "node": {
                    **node,
                    "db_path": str(server.db_path),
                    "parallel": {"hashes": 2, "uploads": 2, "downloads": 2},
                },
                "object_storage": self._object_storage(),
            }
            for port, server, node in zip(ports, self.servers, nodes)
        ]

    @classmethod
    def for_cassandra(
        cls, directory: Path, cluster: CassandraCluster, *, username: str = "cassandra", password: str = "cassandra"
    ) -> Cherax:
        def client(addresses: list[str], config_path: Path) -> dict[str, Any]:
            return {
                "config_path": str(config_path),
                "hostnames": addresses,
                "port": cluster.nodes[0].cql_port,
                "username": username,
                "password": password,
            }

        addresses = [node.address for node in cluster.nodes]
        return cls(
            directory,
            plugin="cassandra",
            plugin_config={
                "client": client(addresses, cluster.nodes[0].yaml),
                "nodes": [{"address": address} for address in addresses],
                "datacenter": cluster.nodes[0].datacenter,
                "restore_start_timeout": 180,
            },
            nodes=[
                {
                    "root": str(node.root),
                    "az": node.rack,
                    "cassandra": {
                        "client": client([node.address], node.yaml),
                        "nodetool_command": node.nodetool_command,
                        "start_command": node.start_command,
                        "stop_command": node.stop_command,
                        "access_level": "write",
                        "jmx_port": node.jmx_port,
                    },
                }
                for node in cluster.nodes
            ],
        )

    @classmethod
    def for_files(cls, directory: Path, roots: Sequence[Path], root_globs: Sequence[str] = ("**",)) -> Cherax:
        return cls(
            directory,
            plugin="files",
            plugin_config={"root_globs": list(root_globs)},
            nodes=[{"root": str(root), "az": f"az{i + 1}"} for i, root in enumerate(roots)],
        )

    def __enter__(self) -> Cherax:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        try:
            self.stop()
        except AssertionError:
            if failure is None:
                raise

    def start(self) -> None:
        for index in range(len(self.servers)):
            self.start_server(index)

    def start_server(self, index: int) -> None:
        """Starts one server, at first or again, with its configuration as it is now."""
        self.servers[index].start(self.configs[index])

    def stop(self) -> None:
        failures = []
        for server in self.servers:
            try:
                server.stop()
            except AssertionError as error:
                failures.append(str(error))
        if failures:
            raise AssertionError("\n".join(failures))

    def client_command(self, *arguments: str, server: int = 0, wait: int = 300) -> list[str]:
        """The command line of a client command, for a test that runs it in the background."""
        return [str(self._binary), "-u", self.servers[server].url, "-w", str(wait), *arguments]

    def client(self, *arguments: str, server: int = 0, wait: int = 300) -> Finished:
        """Runs a client command (`backup`, `restore --backup NAME`, …) against one server."""
        return run(self.client_command(*arguments, server=server, wait=wait), timeout=wait + 30)

    def backup(self, server: int = 0) -> str:
        """Takes a backup and returns its name."""
        before = self.backup_names(server)
        self.client("backup", server=server).require_success()
        (name,) = set(self.backup_names(server)) - set(before)
        return name

    def restore(self, name: str, *flags: str, server: int = 0) -> Finished:
        """Restores a backup; the caller judges how it ended."""
        return self.client("restore", "--backup", name, *flags, server=server, wait=600)

    def call(self, method: str, path: str, body: Any = None, *, server: int = 0) -> tuple[int, Any]:
        """One API request: the status, and the answer's JSON (or text)."""
        return request(method, self.servers[server].url + path, body)

    def start_operation(self, name: str, body: Any = None, *, server: int = 0) -> int:
        """Starts a backup, restore or cleanup; returns its id."""
        status, answer = self.call("POST", f"/{name}", body, server=server)
        assert status == 200, answer
        return int(answer["op_id"])

    def operation(self, name: str, op_id: int, *, server: int = 0) -> dict[str, Any]:
        """The status of an operation, whatever it is."""
        status, answer = self.call("GET", f"/{name}/{op_id}", server=server)
        assert status == 200, answer
        return dict(answer)

    def wait_for_operation(self, name: str, op_id: int, *, server: int = 0, timeout: float = 60) -> dict[str, Any]:
        """Waits until the operation is done or has failed; returns its last status."""
        status: dict[str, Any] = {}

        def is_over() -> bool:
            status.update(self.operation(name, op_id, server=server))
            return status["state"] in ("done", "fail")

        wait_until(is_over, f"{name} {op_id} is over", timeout, pause=0.02)
        return status

    def run_operation(
        self, name: str, body: Any = None, *, server: int = 0, timeout: float = 60
    ) -> dict[str, Any]:
        """Starts an operation and waits for its end; the caller judges its status."""
        return self.wait_for_operation(
            name, self.start_operation(name, body, server=server), server=server, timeout=timeout
        )

    def backups(self, server: int = 0) -> list[dict[str, Any]]:
        """The entries that `GET /list` has for the storage."""
        status, answer = self.call("GET", "/list", server=server)
        assert status == 200, answer
        return [entry for storage in answer["storages"] for entry in storage["backups"]]

    def backup_names(self, server: int = 0) -> list[str]:
        return [entry["name"] for entry in self.backups(server)]

    def bytes_read(self) -> int:
        return sum(server.bytes_read() for server in self.servers)

    def stored_bytes(self) -> int:
        """The size of everything in the object store."""
        return sum(path.stat().st_size for path in self.store.rglob("*") if path.is_file())

    def logs(self) -> str:
        return "\n".join(f"{server.log}:\n{tail(server.log, 60)}" for server in self.servers)

    def _object_storage(self) -> dict[str, Any]:
        public, private = _key_pair(self.directory / "keys")
        return {
            "temporary_directory": str(self.directory / "tmp"),
            "default_storage": STORAGE,
            "storages": {STORAGE: {"storage_type": "local", "directory": str(self.store)}},
            "compression": {"algorithm": "zstd", "level": 3},
            "encryption_key_id": KEY_ID,
            "encryption_keys": {KEY_ID: {"public": public, "private": private}},
        }


def request(method: str, url: str, body: Any = None, *, timeout: float = 60) -> tuple[int, Any]:
    """One HTTP request with a JSON body: the status, and the answer's JSON (or text)."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, headers, method=method), timeout=timeout
        ) as response:
            return response.status, _decoded(response.read())
    except urllib.error.HTTPError as error:
        return error.code, _decoded(error.read())


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _key_pair(directory: Path) -> tuple[str, str]:
    """The RSA key pair in `directory` as PEM texts (public, private), put there at first use."""
    private, public = directory / "private.pem", directory / "public.pem"
    if not public.exists():
        directory.mkdir(parents=True)
        for path, text in zip((public, private), new_key_pair()):
            path.write_text(text)
    return public.read_text(), private.read_text()


@functools.cache
def new_key_pair(name: str = KEY_ID) -> tuple[str, str]:
    """An RSA key pair as PEM texts (public, private): one for each name in this process, since making one takes time."""
    generate = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]
    private = run(generate).require_success().stdout
    public = subprocess.run(
        ["openssl", "pkey", "-pubout"], input=private, capture_output=True, text=True, check=True
    ).stdout
    return public, private
