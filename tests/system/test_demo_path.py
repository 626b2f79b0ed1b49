"""The main job, as the demo does it, on few rows: two backups, a restore of the first on emptied nodes.

The tests build on each other, in their order.
"""

from __future__ import annotations

from harness import workload
from harness.cassandra import CassandraCluster
from harness.cherax import Cherax

from .helpers import (
    Backup,
    assert_nothing_left_behind,
    assert_owned_by_cassandra,
    assert_same_through_each_node,
    assert_tokens_are_the_configured,
    logs_in,
)


def test_a_backup_is_listed_with_its_sizes(cherax: Cherax, backup: Backup) -> None:
    (entry,) = cherax.backups()
    assert (entry["name"], entry["plugin"], entry["nodes"], entry["attempt"]) == (backup.name, "cassandra", 3, 1)
    assert entry["total_size"] >= entry["upload_size"] > entry["upload_stored_size"] > 0


def test_a_backup_leaves_nothing_behind_that_pins_disk_space(
    cluster: CassandraCluster, cherax: Cherax, backup: Backup
) -> None:
    assert_nothing_left_behind(cluster)


def test_a_second_backup_by_another_coordinator_stores_only_what_is_new(
    cluster: CassandraCluster, cherax: Cherax, backup: Backup
) -> None:
    with cluster.nodes[1].session() as session:
        workload.change(session, workload.SMALL)
    second = cherax.backup(server=1)
    entries = {entry["name"]: entry for entry in cherax.backups(server=1)}
    assert entries[second]["upload_size"] < entries[backup.name]["upload_size"] / 2
    assert_nothing_left_behind(cluster)


def test_the_first_backup_comes_back_on_emptied_nodes(
    cluster: CassandraCluster, cherax: Cherax, backup: Backup
) -> None:
    cluster.stop()
    for node in cluster.nodes:
        node.wipe()
    cherax.restore(backup.name).require_success()
    assert_same_through_each_node(cluster, backup.content)
    assert_tokens_are_the_configured(cluster)
    assert_owned_by_cassandra(cluster)


def test_no_node_has_dropped_an_update_of_a_view(cluster: CassandraCluster) -> None:
    """Cassandra acknowledges and drops it, when it is sent while a view is being created."""
    for node in cluster.nodes:
        assert "mutate non-existant table" not in node.log.read_text(), node.address


def test_the_backed_up_roles_log_in_after_the_restore(cluster: CassandraCluster) -> None:
    for node in cluster.nodes:
        for username, password in workload.LOGINS.items():
            assert logs_in(node, username, password)
            assert not logs_in(node, username, "wrong " + password)


def test_a_restored_cluster_can_be_backed_up(cluster: CassandraCluster, cherax: Cherax, backup: Backup) -> None:
    assert cherax.backup(server=2) in cherax.backup_names(server=2)
    assert_nothing_left_behind(cluster)
