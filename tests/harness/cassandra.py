"""A real Cassandra cluster on loopback addresses, one process a node, for tests and the demo.

Nodes run as the unprivileged user `cassandra`. Everything of a cluster lives below the directory that the caller
gives; the user must be able to reach it (mode 0755 all the way). Below `node<i>/` there are `root/` (what is backed
up: `data`, and beside it `commitlog`, `hints`, `saved_caches`, `cdc_raw`), `conf/`, `logs/`, and in `bin/` the three
commands that both this class and Cherax use: `start-cassandra [YAML]`, `stop-cassandra`, `nodetool`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from cassandra import ConsistencyLevel
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.policies import WhiteListRoundRobinPolicy

from .node_files import NodeSettings, write_node_files
from .process import CACHE, Finished, command_line, port_open, run, tail, wait_until

USER = "cassandra"
VERSION = "5.0.9"
DATA_DIRECTORIES = ("data", "commitlog", "hints", "saved_caches", "cdc_raw")
START_TIMEOUT = 120.0
# One start in twenty loses a node that could not reach its seed in time; a second start of it works.
START_ATTEMPTS = 3


class CassandraNode:
    """One node: its files, its process, and driver sessions that talk to it alone."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        self.directory = settings.directory
        self.root = settings.root
        self.address = settings.address
        self.cql_port = settings.cql_port
        self.jmx_port = settings.jmx_port
        self.rack = settings.rack
        self.datacenter = settings.datacenter
        self.tokens = settings.tokens
        self.yaml = self.directory / "conf/cassandra.yaml"
        self.log = self.directory / "logs/system.log"
        self.start_command = [str(self.directory / "bin/start-cassandra")]
        self.stop_command = [str(self.directory / "bin/stop-cassandra")]
        self.nodetool_command = [str(self.directory / "bin/nodetool")]

    def create(self) -> None:
        write_node_files(self._settings)
        for name in ("root", "logs", "run", "tmp"):
            (self.directory / name).mkdir()
        for name in ("root", "logs", "tmp"):
            shutil.chown(self.directory / name, USER, USER)

    def pid(self) -> int | None:
        """The process of the node, or None while it does not run."""
        try:
            pid = int((self.directory / "run/cassandra.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if f"{self.directory}/".encode() in command_line(pid) else None

    def start(self, yaml: Path | None = None) -> None:
        """Starts the node with its own configuration, or another; returns before it answers."""
        run([*self.start_command, *([yaml] if yaml else [])]).require_success()

    def stop(self) -> None:
        if self.pid() is not None:
            run(self.stop_command).require_success()

    def kill(self) -> None:
        """kill -9."""
        if (pid := self.pid()) is not None:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.pid() is None, f"{self.address} is killed", 30)

    def answers(self) -> bool:
        return port_open(self.address, self.cql_port)

    def nodetool(self, *arguments: str, timeout: float = 300) -> str:
        return run([*self.nodetool_command, *arguments], timeout).require_success().stdout

    def wipe(self) -> None:
        """Deletes every directory that Cassandra keeps data in; `root` itself stays, empty and Cassandra's."""
        if self.pid() is not None:
            raise RuntimeError(f"{self.address} still runs")
        for name in DATA_DIRECTORIES:
            shutil.rmtree(self.root / name, ignore_errors=True)

    @contextmanager
    def session(self, username: str = "cassandra", password: str = "cassandra") -> Iterator[Session]:
        """A driver session that uses this node only, as coordinator of every request, at consistency level ONE."""
        profile = ExecutionProfile(
            load_balancing_policy=WhiteListRoundRobinPolicy([self.address]),
            consistency_level=ConsistencyLevel.ONE,
            request_timeout=120,
        )
        driver = Cluster(
            [self.address],
            port=self.cql_port,
            protocol_version=5,
            auth_provider=PlainTextAuthProvider(username, password),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            schema_metadata_enabled=False,
            token_metadata_enabled=False,
            max_schema_agreement_wait=30,
            connect_timeout=20,
            control_connection_timeout=20,
        )
        try:
            yield driver.connect()
        finally:
            driver.shutdown()

    def foreign_owned(self) -> list[str]:
        """The paths below Cassandra's directories that do not belong to Cassandra's user and group."""
        user = pwd.getpwnam(USER)
        paths = (path for name in DATA_DIRECTORIES for path in [self.root / name, *(self.root / name).rglob("*")])
        return [
            str(path)
            for path in paths
            if path.exists() and (path.lstat().st_uid, path.lstat().st_gid) != (user.pw_uid, user.pw_gid)
        ]


class CassandraCluster:
    """Some nodes on `<net>.1`, `<net>.2`, … of one datacenter, with JMX on 127.0.0.1 from `jmx_base` + 1 up.

    Several clusters run side by side if their `net` and `jmx_base` differ. A context manager: leaving it stops
    every node.
    """

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "test",
        version: str = VERSION,
        nodes: int = 3,
        net: str = "127.0.0",
        jmx_base: int = 7100,
        datacenter: str = "dc1",
        racks: Sequence[str] = ("r1", "r2", "r3"),
        num_tokens: int = 4,
        jvm_options: Sequence[str] = (),
        more_yaml: str = "",
    ) -> None:
        self.directory = directory
        self.name = name
        self._version = version
        self.nodes = [
            CassandraNode(
                NodeSettings(
                    cluster_name=name,
                    directory=directory / f"node{i + 1}",
                    lib=directory / "lib",
                    java=_java(),
                    user=USER,
                    address=f"{net}.{i + 1}",
                    cql_port=9042,
                    storage_port=7000,
                    jmx_port=jmx_base + i + 1,
                    seeds=f"{net}.1",
                    datacenter=datacenter,
                    rack=racks[i % len(racks)],
                    tokens=_interleaved_tokens(i, nodes, num_tokens),
                    jvm_options=tuple(jvm_options),
                    more_yaml=more_yaml,
                )
            )
            for i in range(nodes)
        ]

    def __enter__(self) -> CassandraCluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def create(self) -> None:
        """Writes the files of a new cluster and starts it."""
        _require_user()
        self.directory.mkdir(parents=True, exist_ok=True)
        _require_reachable(self.directory)
        # The user may not be able to reach the cache (a checkout below /root), so the cluster gets jars of its own.
        shutil.copytree(jars(self._version), self.directory / "lib", copy_function=_link_or_copy)
        for node in self.nodes:
            node.create()
        self.start()

    def start(self) -> None:
        """Starts the nodes that do not run, all at once, and waits until each sees all of them up."""
        for node in self.nodes:
            if node.pid() is None:
                node.start()
        self.wait_settled()

    def wait_settled(self) -> None:
        """Waits until every node serves clients and lists every node as up and normal.

        A node whose process ends meanwhile is started again, a few times.
        """
        for node in self.nodes:
            self._wait_answers(node)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._wait_ring, self.nodes))

    def wait_login(self) -> None:
        """Waits until the default superuser of a new cluster exists."""

        def logs_in() -> bool:
            try:
                with self.nodes[0].session():
                    return True
            except NoHostAvailable:
                return False

        wait_until(logs_in, "the default superuser logs in", 60, pause=1)

    def stop(self) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(CassandraNode.stop, self.nodes))

    def nodetool(self, *arguments: str) -> None:
        """Runs nodetool with these arguments for every node at once."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: node.nodetool(*arguments), self.nodes))

    def replicate_roles(self) -> None:
        """Keeps `system_auth` on every node (at most 3), as every cluster with passwords should."""
        node = self.nodes[0]
        copies = min(3, len(self.nodes))
        with node.session() as session:
            session.execute(
                "ALTER KEYSPACE system_auth WITH replication = "
                f"{{'class': 'NetworkTopologyStrategy', '{node.datacenter}': {copies}}}"
            )
        if copies > 1:
            node.nodetool("repair", "-full", "system_auth")

    def _wait_answers(self, node: CassandraNode) -> None:
        starts = 1

        def answers() -> bool:
            nonlocal starts
            if node.pid() is None:
                if starts == START_ATTEMPTS:
                    raise RuntimeError(f"{node.address} ended {starts} times at its start:\n{tail(node.log)}")
                starts += 1
                node.start()
            return node.answers()

        wait_until(answers, f"{node.address} serves clients (log: {node.log})", START_TIMEOUT)

    def _wait_ring(self, node: CassandraNode) -> None:
        def settled() -> bool:
            status = run([*node.nodetool_command, "status"]).stdout.splitlines()
            up = {words[1] for line in status if (words := line.split()) and words[0] == "UN"}
            return up == {other.address for other in self.nodes}

        wait_until(settled, f"{node.address} sees all nodes up", START_TIMEOUT)


def jars(version: str) -> Path:
    """The directory of Cassandra and all that it needs."""
    directory = CACHE / "cassandra" / version / "lib"
    if not directory.is_dir():
        raise RuntimeError(f"{directory} does not exist: run tools/install cassandra")
    return directory


def _interleaved_tokens(index: int, nodes: int, num_tokens: int) -> tuple[int, ...]:
    step = 2**64 // (nodes * num_tokens)
    return tuple(-(2**63) + 1 + step * (k * nodes + index) for k in range(num_tokens))


def _java() -> Path:
    found = sorted(Path("/usr/lib/jvm").glob("java-17-openjdk-*/bin/java"))
    if not found:
        raise RuntimeError("no Java 17 below /usr/lib/jvm: run tools/install cassandra")
    return found[0]


def _require_user() -> None:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        run(["/usr/sbin/useradd", "--system", "--user-group", "--no-create-home", USER]).require_success()


def _require_reachable(directory: Path) -> None:
    for path in [directory, *directory.parents]:
        if path.stat().st_mode & 0o005 != 0o005:
            raise RuntimeError(f"{path} is closed to the user {USER}: choose another directory for {directory}")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
