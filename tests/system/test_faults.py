"""What goes wrong around one Cassandra node: each fault is told with its cause, and leaves nothing behind.

The tests build on each other, in their order: the first ones want a cluster without tables.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import workload
from harness.cassandra import CassandraCluster, CassandraNode
from harness.cherax import Cherax
from harness.fingerprint import settled_fingerprint
from harness.process import command_line, wait_until

from .helpers import (
    Gate,
    assert_nothing_left_behind,
    assert_owned_by_cassandra,
    assert_same_through_each_node,
    changed_config,
    script,
    start_client,
)


@pytest.fixture(scope="module")
def cluster(work_directory: Path) -> Iterator[CassandraCluster]:
    with CassandraCluster(work_directory / "cassandra", nodes=1) as cluster:
        cluster.create()
        yield cluster


@pytest.fixture(scope="module")
def node(cluster: CassandraCluster) -> CassandraNode:
    return cluster.nodes[0]


@pytest.fixture(scope="module")
def cherax(work_directory: Path, cluster: CassandraCluster) -> Iterator[Cherax]:
    with Cherax.for_cassandra(work_directory / "cherax", cluster) as cherax:
        cherax.configs[0]["coordinator"]["backup_attempts"] = 1
        cherax.start()
        yield cherax


def cassandra_section(cherax: Cherax) -> dict[str, Any]:
    section: dict[str, Any] = cherax.configs[0]["node"]["cassandra"]
    return section


def test_a_cluster_without_tables_is_backed_up_and_restored(cluster: CassandraCluster, cherax: Cherax) -> None:
    content = settled_fingerprint_without_tables(cluster)
    name = cherax.backup()
    cluster.stop()
    cluster.nodes[0].wipe()
    cherax.restore(name).require_success()
    assert settled_fingerprint_without_tables(cluster) == content


def settled_fingerprint_without_tables(cluster: CassandraCluster) -> Any:
    return settled_fingerprint(cluster, queries=())


def test_a_cassandra_that_is_down_fails_a_backup_by_address(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax
) -> None:
    workload.fill(cluster, workload.SMALL)
    before = cherax.backup_names()
    node.stop()
    failed = cherax.client("backup")
    assert failed.exit_code == 1
    assert node.address in failed.output
    assert cherax.backup_names() == before
    cluster.start()


def test_a_schema_change_during_the_snapshot_fails_the_backup(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax, work_directory: Path
) -> None:
    before = cherax.backup_names()
    gate = Gate(work_directory, "nodetool-gate", node.nodetool_command, only="snapshot")
    with changed_config(cherax, cassandra_section(cherax), nodetool_command=gate.command):
        backup = start_client(cherax, "backup")
        gate.wait_reached()
        with node.session() as session:
            session.execute("ALTER TABLE shop.never_filled ADD late text")
        gate.open()
        output, _ = backup.communicate(timeout=120)
        assert backup.returncode == 1
        assert "schema" in output
        assert cherax.backup_names() == before
    assert_nothing_left_behind(cluster)


def test_a_nodetool_that_does_not_exist_stops_the_start_of_the_server(cherax: Cherax) -> None:
    with pytest.raises(AssertionError, match="/no/such/nodetool"):
        with changed_config(cherax, cassandra_section(cherax), nodetool_command=["/no/such/nodetool"]):
            pass


def test_a_nodetool_that_refuses_is_told_with_status_and_output(
    cluster: CassandraCluster, cherax: Cherax, work_directory: Path
) -> None:
    refusing = script(work_directory, "nodetool-refusing", "echo 'no snapshot on a Sunday' >&2; exit 7\n")
    with changed_config(cherax, cassandra_section(cherax), nodetool_command=refusing):
        failed = cherax.client("backup")
        assert failed.exit_code == 1
        for part in (refusing[0], "7", "no snapshot on a Sunday", cherax.servers[0].url):
            assert part in failed.output
    assert_nothing_left_behind(cluster)


def test_a_nodetool_that_hangs_is_killed_at_its_deadline(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax, work_directory: Path
) -> None:
    sleeper = work_directory / "sleeper.pid"
    hanging = script(
        work_directory,
        "nodetool-hanging",
        f'[ "$1" = snapshot ] || exec {node.nodetool_command[0]} "$@"\nsleep 600 & echo $! >{sleeper}\nwait\n',
    )
    with changed_config(cherax, cassandra_section(cherax), nodetool_command=hanging, command_timeout=15):
        failed = cherax.client("backup")
        assert failed.exit_code == 1
        assert hanging[0] in failed.output and cherax.servers[0].url in failed.output
    pid = int(sleeper.read_text())
    wait_until(lambda: not command_line(pid), "its process group is killed with it", 10)
    assert_nothing_left_behind(cluster)


def test_more_data_directories_than_the_root_has_are_refused_by_path(
    node: CassandraNode, cherax: Cherax, work_directory: Path
) -> None:
    text = node.yaml.read_text()
    other = work_directory / "other-data"
    node.yaml.write_text(text.replace(f"  - {node.root}/data\n", f"  - {node.root}/data\n  - {other}\n"))
    try:
        failed = cherax.client("backup")
    finally:
        node.yaml.write_text(text)
    assert failed.exit_code == 1
    assert f"{node.root}/data" in failed.output and str(other) in failed.output


def test_a_node_that_may_only_be_read_is_not_restored(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax
) -> None:
    name = cherax.backup()
    with changed_config(cherax, cassandra_section(cherax), access_level="read"):
        failed = cherax.restore(name, "--overwrite")
    assert failed.exit_code == 1
    assert "access_level" in failed.output or "access level" in failed.output
    assert node.answers()


def test_a_seed_that_is_no_node_of_the_restore_is_refused_by_name(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax
) -> None:
    name = cherax.backup()
    text = node.yaml.read_text()
    node.yaml.write_text(text.replace('seeds: "127.0.0.1"', 'seeds: "127.0.0.1,127.0.0.99"'))
    try:
        failed = cherax.restore(name, "--overwrite")
    finally:
        node.yaml.write_text(text)
    assert failed.exit_code == 1
    assert "127.0.0.99" in failed.output
    assert node.answers()


def test_a_restore_whose_start_command_fails_keeps_the_old_data_and_can_be_run_again(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax, work_directory: Path
) -> None:
    content = settled_fingerprint(cluster)
    name = cherax.backup()
    failing = script(work_directory, "start-failing", "echo 'out of coffee' >&2; exit 3\n")
    with changed_config(cherax, cassandra_section(cherax), start_command=failing):
        failed = cherax.restore(name, "--overwrite")
    assert failed.exit_code == 1
    for part in (failing[0], "3", "out of coffee"):
        assert part in failed.output
    assert not node.answers()
    assert list(node.root.glob("data.before-*")), "the old data is gone"
    cherax.restore(name, "--overwrite").require_success()
    assert_same_through_each_node(cluster, content)
    assert_owned_by_cassandra(cluster)


def test_what_came_after_a_restore_that_was_given_up_is_not_removed_unasked(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax, work_directory: Path
) -> None:
    content = settled_fingerprint(cluster)
    name = cherax.backup()
    failing = script(work_directory, "start-failing", "exit 3\n")
    with changed_config(cherax, cassandra_section(cherax), start_command=failing):
        assert cherax.restore(name, "--overwrite").exit_code == 1
    cluster.start()
    with node.session() as session:
        session.execute("CREATE KEYSPACE live WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        session.execute("CREATE TABLE live.orders (id int PRIMARY KEY)")
    for flags in ([], ["--overwrite"]):
        refused = cherax.restore(name, *flags)
        assert refused.exit_code == 1
        assert "--overwrite --discard-old" in refused.output
        assert node.answers()
    cherax.restore(name, "--overwrite", "--discard-old").require_success()
    assert_same_through_each_node(cluster, content)
    assert list(node.root.glob("*.before-*")) == []


def test_a_backup_completes_after_its_server_was_killed_in_the_middle_of_one(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax, work_directory: Path
) -> None:
    before = cherax.backup_names()
    gate = Gate(work_directory, "nodetool-kill", node.nodetool_command, only="snapshot")
    with changed_config(cherax, cassandra_section(cherax), nodetool_command=gate.command):
        backup = start_client(cherax, "backup")
        gate.wait_reached()
        cherax.servers[0].kill()
        backup.kill()
        backup.communicate()
    gate.open()
    assert cherax.backup() not in before
    assert_nothing_left_behind(cluster)


def test_a_restore_completes_after_its_server_was_killed_in_the_middle_of_one(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax, work_directory: Path
) -> None:
    content = settled_fingerprint(cluster)
    name = cherax.backup()
    gate = Gate(work_directory, "start-kill", node.start_command)
    with changed_config(cherax, cassandra_section(cherax), start_command=gate.command):
        restore = start_client(cherax, "restore", "--backup", name, "--overwrite")
        gate.wait_reached()
        cherax.servers[0].kill()
        restore.kill()
        restore.communicate()
    gate.open()
    cherax.restore(name, "--overwrite").require_success()
    assert_same_through_each_node(cluster, content)
    assert_owned_by_cassandra(cluster)


@pytest.mark.parametrize("command", ["stop_command", "start_command"], ids=["drains", "has placed the data"])
def test_a_restore_of_an_empty_node_completes_by_the_same_command_wherever_its_server_was_killed(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax, work_directory: Path, command: str
) -> None:
    """Without --overwrite, though there are user tables then: the second stop and the second start come after them."""
    content = settled_fingerprint(cluster)
    name = cherax.backup()
    cluster.stop()
    node.wipe()
    section = cassandra_section(cherax)
    gate = Gate(work_directory, f"second-{command}", section[command], call=2)
    with changed_config(cherax, section, **{command: gate.command}):
        restore = start_client(cherax, "restore", "--backup", name)
        gate.wait_reached()
        cherax.servers[0].kill()
        restore.kill()
        restore.communicate()
    gate.open()
    cherax.restore(name).require_success()
    assert_same_through_each_node(cluster, content)
    assert_owned_by_cassandra(cluster)
