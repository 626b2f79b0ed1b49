"""A cluster whose superuser is not the default one: its restore must not bring the default one back.

Cassandra writes the role `cassandra`, with the password that everybody knows, some seconds after a start that finds no
role. The tests build on each other, in their order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cassandra import Unauthorized

from harness import workload
from harness.cassandra import CassandraCluster
from harness.cherax import Cherax
from harness.fingerprint import Fingerprint, settled_fingerprint

from .helpers import assert_same_through_each_node, logs_in

ADMIN = {"username": "admin", "password": "s3cret"}
# Cassandra's own delay before it writes the default superuser.
SETUP_DELAY = 10


@pytest.fixture(scope="module")
def cluster(work_directory: Path) -> Iterator[CassandraCluster]:
    delay = f"-Dcassandra.superuser_setup_delay_ms={SETUP_DELAY * 1000}"
    with CassandraCluster(work_directory / "cassandra", jvm_options=[delay]) as cluster:
        cluster.create()
        cluster.wait_login()
        workload.fill(cluster, workload.SMALL)
        with cluster.nodes[0].session() as session:
            session.execute("CREATE ROLE admin WITH PASSWORD = 's3cret' AND LOGIN = true AND SUPERUSER = true")
        with cluster.nodes[0].session(**ADMIN) as session:
            session.execute("DROP ROLE cassandra")
        yield cluster


@pytest.fixture(scope="module")
def restored(work_directory: Path, cluster: CassandraCluster) -> Iterator[Fingerprint]:
    """What the cluster held; it has been backed up, emptied and restored since."""
    content = settled_fingerprint(cluster, **ADMIN)
    with Cherax.for_cassandra(work_directory / "cherax", cluster, **ADMIN) as cherax:
        cherax.start()
        name = cherax.backup()
        cluster.stop()
        for node in cluster.nodes:
            node.wipe()
        cherax.restore(name).require_success()
        yield content


def test_the_default_superuser_is_refused(cluster: CassandraCluster, restored: Fingerprint) -> None:
    assert not any(logs_in(node, "cassandra", "cassandra") for node in cluster.nodes)
    time.sleep(SETUP_DELAY + 2)
    assert not any(logs_in(node, "cassandra", "cassandra") for node in cluster.nodes)


def test_everything_is_there_through_each_node(cluster: CassandraCluster, restored: Fingerprint) -> None:
    assert_same_through_each_node(cluster, restored, **ADMIN)


def test_the_roles_have_their_grants_and_no_more(cluster: CassandraCluster, restored: Fingerprint) -> None:
    for node in cluster.nodes:
        with node.session("analyst", workload.LOGINS["analyst"]) as session:
            assert session.execute("SELECT id FROM archive.documents WHERE id = 1 LIMIT 1").one().id == 1
            with pytest.raises(Unauthorized):
                session.execute("SELECT id FROM archive.images LIMIT 1")
        with node.session("clerk", workload.LOGINS["clerk"]) as session:
            session.execute("SELECT number FROM shop.orders LIMIT 1")
            with pytest.raises(Unauthorized):
                session.execute("SELECT name FROM shop.customers LIMIT 1")
