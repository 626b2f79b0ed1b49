"""Proves the witness of the other system tests: that it sees what a backup must bring back, and what is missing.

No Cherax here: the nodes are backed up by nodetool and restored by hand. The tests build on each other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import workload
from harness.cassandra import USER, CassandraCluster, CassandraNode
from harness.fingerprint import differences, fingerprint, fingerprints, rows_in, settled_fingerprint

TAG = "by-hand"


@pytest.fixture(scope="module")
def cluster(work_directory: Path) -> Iterator[CassandraCluster]:
    with CassandraCluster(work_directory) as cluster:
        cluster.create()
        workload.fill(cluster, workload.SMALL)
        yield cluster


def changes_seen(cluster: CassandraCluster, *statements: str) -> list[str]:
    """What the second node tells to be different once the first one has executed the statements."""
    before = settled_fingerprint(cluster)
    with cluster.nodes[0].session() as session:
        for statement in statements:
            session.execute(statement)
    return differences(before, settled_fingerprint(cluster))


def test_every_row_is_counted(cluster: CassandraCluster) -> None:
    orders = workload.SMALL.orders
    views, notes, customers = 50, orders // 10, orders // 4 + 1
    expected = 2 * orders + views + notes + customers + workload.SMALL.pages + workload.SMALL.images
    assert rows_in(settled_fingerprint(cluster)) == expected


def test_a_changed_row_is_seen(cluster: CassandraCluster) -> None:
    one_row = f"customer = {workload.customer(8)} AND number = 8"
    seen = changes_seen(cluster, f"UPDATE shop.orders SET price = 99 WHERE {one_row}")
    assert len(seen) == 2, seen
    assert seen[0].startswith(f"rows of shop.orders: changed customer={workload.customer(8)}, number=8: ")
    assert seen[1].startswith("rows of shop.orders_by_item: changed ")


def test_a_missing_row_is_seen(cluster: CassandraCluster) -> None:
    seen = changes_seen(cluster, "DELETE FROM archive.documents WHERE id = 1 AND page = 3")
    assert seen == ["rows of archive.documents: missing id=1, page=3"]


def test_a_missing_grant_is_seen(cluster: CassandraCluster) -> None:
    seen = changes_seen(cluster, "REVOKE MODIFY ON shop.orders FROM clerk")
    assert any(line.startswith("rows of system_auth.role_permissions: changed") for line in seen), seen


def test_a_missing_membership_is_seen(cluster: CassandraCluster) -> None:
    seen = changes_seen(cluster, "REVOKE readers FROM analyst")
    assert "rows of system_auth.role_members: missing member=analyst, role=readers" in seen, seen


def test_a_changed_password_is_seen(cluster: CassandraCluster) -> None:
    seen = changes_seen(cluster, "ALTER ROLE clerk WITH PASSWORD = 'other'")
    assert len(seen) == 1 and seen[0].startswith("rows of system_auth.roles: changed role=clerk: "), seen


def test_a_column_without_values_is_seen(cluster: CassandraCluster) -> None:
    seen = changes_seen(cluster, "ALTER TABLE shop.never_filled ADD note text")
    assert len(seen) == 1 and seen[0].startswith("schema: changed shop table never_filled: "), seen


def test_files_placed_before_the_first_start_bring_everything_back(
    cluster: CassandraCluster, work_directory: Path
) -> None:
    expected = settled_fingerprint(cluster)
    cluster.nodetool("snapshot", "-t", TAG)
    cluster.stop()
    for node in cluster.nodes:
        saved = work_directory / "saved" / node.address
        save_snapshot(node, saved)
        node.wipe()
        place(node, saved)
    cluster.start()
    assert cluster.nodes[0].foreign_owned() == []
    for address, found in fingerprints(cluster).items():
        assert differences(expected, found) == [], f"through {address}"


def test_a_node_that_lost_its_copy_is_seen(cluster: CassandraCluster) -> None:
    """The other two nodes have every image, and would answer for the third if it asked them."""
    node = cluster.nodes[2]
    expected = settled_fingerprint(cluster)
    node.stop()
    (table,) = (node.root / "data/archive").glob("images-*")
    shutil.rmtree(table)
    cluster.start()
    with node.session() as session:
        found = fingerprint(session)
    assert found["rows of archive.images"] == {}
    assert len(differences(expected, found, limit=1000)) == workload.SMALL.images


def save_snapshot(node: CassandraNode, target: Path) -> None:
    """Copies the files of the snapshot to `<target>/<keyspace>/<table>/`, as a backup would."""
    for snapshot in (node.root / "data").glob(f"*/*/snapshots/{TAG}"):
        table = snapshot.parents[1]
        shutil.copytree(snapshot, target / table.parent.name / table.name)


def place(node: CassandraNode, source: Path) -> None:
    """Puts a saved snapshot where the node's first start finds it.

    Of the keyspace `system`, which holds the node's identity, only what tells that views and indexes are built.
    """
    for keyspace in source.iterdir():
        for table in keyspace.iterdir():
            if keyspace.name != "system" or table.name.startswith(("built_views-", "IndexInfo-")):
                shutil.copytree(table, node.root / "data" / keyspace.name / table.name)
    for path in [node.root / "data", *(node.root / "data").rglob("*")]:
        shutil.chown(path, USER, USER)
