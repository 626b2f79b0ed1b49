"""A restore over a cluster that lives: nothing that is newer than the backup may come back.

Newer are rows that only commit logs hold (of nodes killed with -9), hints that wait for one node, a table, and a role.
The tests build on each other, in their order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cassandra import ConsistencyLevel
from cassandra.query import SimpleStatement

from harness import workload
from harness.cassandra import CassandraCluster, CassandraNode
from harness.cherax import Cherax
from harness.process import wait_until

from .helpers import (
    Backup,
    Gate,
    assert_owned_by_cassandra,
    assert_same_through_each_node,
    assert_tokens_are_the_configured,
    logs_in,
    start_client,
)

# Two halves of 1,000 rows: the first is written to every node, the second while the third node is down.
HALF = 500
LOCK_TTL = 20
LOGINS = {"cassandra": "cassandra", **workload.LOGINS}


@pytest.fixture(scope="module")
def newer(cluster: CassandraCluster, backup: Backup) -> None:
    """Writes what must not come back. Afterwards the first node runs, the others are killed."""
    first, second, third = cluster.nodes
    with first.session() as session:
        session.execute("CREATE TABLE shop.newer (id int PRIMARY KEY, note text)")
        session.execute("CREATE ROLE newcomer WITH PASSWORD = 'n3w' AND LOGIN = true")
        write_rows(first, range(HALF), ConsistencyLevel.ALL)
    third.kill()
    wait_until(lambda: sees_down(first, third), f"{first.address} sees {third.address} down", 60)
    write_rows(first, range(HALF, 2 * HALF), ConsistencyLevel.TWO)
    wait_until(lambda: hinted(first), f"{first.address} has hints on disk", 60)
    second.kill()
    for node in (second, third):
        assert not list((node.root / "data/shop").glob("newer-*/*-Data.db")), "the rows are not in commit logs only"


def write_rows(node: CassandraNode, numbers: range, consistency: int) -> None:
    with node.session() as session:
        for number in numbers:
            for statement in (
                f"INSERT INTO archive.documents (id, page, body) VALUES (-1, {number}, 'newer')",
                f"INSERT INTO shop.newer (id, note) VALUES ({number}, 'newer')",
            ):
                level = consistency if "archive" in statement else ConsistencyLevel.ONE
                session.execute(SimpleStatement(statement, consistency_level=level))


def sees_down(node: CassandraNode, other: CassandraNode) -> bool:
    return any(
        line.split()[:2] == ["DN", other.address] for line in node.nodetool("status").splitlines() if line.split()
    )


def hinted(node: CassandraNode) -> bool:
    return any(path.stat().st_size > 1000 for path in (node.root / "hints").glob("*.hints"))


def test_nodes_that_hold_user_tables_are_not_touched_without_overwrite(
    cluster: CassandraCluster, cherax: Cherax, backup: Backup
) -> None:
    refused = cherax.restore(backup.name)
    assert refused.exit_code == 1
    assert "--overwrite" in refused.output
    assert all(node.answers() for node in cluster.nodes)
    assert_same_through_each_node(cluster, backup.content)


@pytest.mark.usefixtures("newer")
def test_nothing_newer_comes_back(cluster: CassandraCluster, cherax: Cherax, backup: Backup) -> None:
    cherax.restore(backup.name, "--overwrite").require_success()
    assert_same_through_each_node(cluster, backup.content)
    assert_tokens_are_the_configured(cluster)
    assert_owned_by_cassandra(cluster)


def test_the_old_data_is_removed_after_success(cluster: CassandraCluster) -> None:
    for node in cluster.nodes:
        assert list(node.root.rglob("*.before-*")) == []


def test_every_role_logs_in_with_any_one_node_stopped(cluster: CassandraCluster) -> None:
    for stopped in cluster.nodes:
        stopped.stop()
        others = [node for node in cluster.nodes if node is not stopped]
        for other in others:
            wait_until(lambda: sees_down(other, stopped), f"{other.address} sees {stopped.address} down", 60)
            for username, password in LOGINS.items():
                assert logs_in(other, username, password), f"{username} on {other.address} without {stopped.address}"
            assert not logs_in(other, "newcomer", "n3w")
        cluster.start()


def test_everything_is_right_after_each_node_restarted_with_its_own_configuration(
    cluster: CassandraCluster, backup: Backup
) -> None:
    """The test before has restarted each node."""
    assert_same_through_each_node(cluster, backup.content)
    assert_tokens_are_the_configured(cluster)
    assert_owned_by_cassandra(cluster)


def test_a_node_tells_of_hints_until_they_are_delivered(cluster: CassandraCluster, cherax: Cherax) -> None:
    """What a restore relies on when it waits for the updates of views."""
    first, _, third = cluster.nodes
    third.kill()
    wait_until(lambda: sees_down(first, third), f"{first.address} sees {third.address} down", 60)
    insert = SimpleStatement("INSERT INTO archive.documents (id, page, body) VALUES (-1, 0, 'newer')")
    insert.consistency_level = ConsistencyLevel.TWO
    with first.session() as session:
        session.execute(insert)
    wait_until(lambda: undelivered_hint_files(cherax) == 1, "the hints have a file", 30)
    third.start()
    wait_until(lambda: undelivered_hint_files(cherax) == 0, "the hints are delivered", 90)
    with third.session() as session:
        query = SimpleStatement("SELECT body FROM archive.documents WHERE id = -1 AND page = 0")
        query.consistency_level = ConsistencyLevel.ONE
        assert [row.body for row in session.execute(query)] == ["newer"]


def undelivered_hint_files(cherax: Cherax) -> int:
    """As the first node's server tells a coordinator."""
    assert cherax.call("POST", "/node/lock?locker=test&ttl=60")[0] == 200
    status, started = cherax.call("POST", "/node/cassandra/get-builds", {})
    assert status == 200, started
    result: dict[str, Any] = {}

    def is_over() -> bool:
        result.update(cherax.call("GET", f"/node/cassandra/get-builds/{started['op_id']}")[1])
        return bool(result["progress"]["final"])

    wait_until(is_over, "get-builds is over", 30)
    assert cherax.call("POST", "/node/unlock?locker=test")[0] == 200
    return int(result["undelivered_hint_files"])


def test_another_coordinator_completes_a_restore_whose_coordinator_is_gone(
    cluster: CassandraCluster, cherax: Cherax, backup: Backup, work_directory: Path
) -> None:
    """It comes back without its memory of the locks; another node's server was gone, too. Their Cassandras run."""
    first = cherax.configs[0]["node"]["cassandra"]
    gate = Gate(work_directory, "start-first", first["start_command"])
    unhindered = first["start_command"]
    cherax.stop()
    first["start_command"] = gate.command
    for config in cherax.configs:
        config["coordinator"]["default_lock_ttl"] = LOCK_TTL
    cherax.start()
    restore = start_client(cherax, "restore", "--backup", backup.name, "--overwrite")
    gate.wait_reached()
    for gone in (0, 2):
        cherax.servers[gone].kill()
    restore.kill()
    restore.communicate()
    gate.open()
    (cherax.servers[0].db_path / "coordinator.lock").unlink()
    first["start_command"] = unhindered
    for back in (0, 2):
        cherax.start_server(back)
    locked = cherax.restore(backup.name, server=1)
    assert locked.exit_code == 1
    assert "locked" in locked.output
    wait_until(lambda: unlocked(cherax), "the locks have ended", 2 * LOCK_TTL)
    cherax.restore(backup.name, "--overwrite", server=1).require_success()
    assert_same_through_each_node(cluster, backup.content)
    assert_owned_by_cassandra(cluster)


def unlocked(cherax: Cherax) -> bool:
    """Also where a probe found the others locked, it leaves no lock."""
    free = all(
        cherax.call("POST", "/node/lock?locker=probe&ttl=1", server=server)[0] == 200
        for server in range(len(cherax.servers))
    )
    for server in range(len(cherax.servers)):
        cherax.call("POST", "/node/unlock?locker=probe", server=server)
    return free
