"""What needs a real Cassandra, but not three of them: TLS, indexes of every class, triggers, passwords, the space on disk.

The tests build on each other, in their order.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import workload
from harness.cassandra import VERSION, CassandraCluster, CassandraNode, jars
from harness.certificates import Authority
from harness.cherax import Cherax
from harness.fingerprint import settled_fingerprint
from harness.process import CHECKOUT, Finished, run, wait_until

from .helpers import assert_same_through_each_node, changed_config

# The last one by the custom index.
QUERIES = (*workload.QUERIES, "SELECT id FROM shop.customers WHERE name LIKE 'customer 4%'")
# More than the compactions of Cassandra's own tables come to.
IMAGES = range(4000)


@pytest.fixture(scope="module")
def authority(work_directory: Path) -> Authority:
    return Authority(work_directory / "certificates")


@pytest.fixture(scope="module")
def cluster(work_directory: Path, authority: Authority) -> Iterator[CassandraCluster]:
    triggers = work_directory / "triggers"
    triggers.mkdir()
    make_trigger_jar(triggers / "audit.jar", work_directory / "classes")
    with CassandraCluster(
        work_directory / "cassandra",
        nodes=1,
        jvm_options=(f"-Dcassandra.triggers_dir={triggers}",),
        more_yaml=authority.client_encryption("127.0.0.1"),
    ) as cluster:
        cluster.create()
        workload.fill(cluster, workload.SMALL)
        yield cluster


@pytest.fixture(scope="module")
def node(cluster: CassandraCluster) -> CassandraNode:
    return cluster.nodes[0]


def make_trigger_jar(jar: Path, classes: Path) -> None:
    source = CHECKOUT / "tests/harness/AuditTrigger.java"
    run(["javac", "-proc:none", "-cp", f"{jars(VERSION)}/*", "-d", classes, source]).require_success()
    with zipfile.ZipFile(jar, "w") as archive:
        archive.write(classes / "AuditTrigger.class", "AuditTrigger.class")


def audited(node: CassandraNode, order: int) -> bool:
    with node.session() as session:
        return session.execute(f"SELECT written FROM shop.audit WHERE id = {order}").one() is not None


def write_note(node: CassandraNode, order: int) -> None:
    with node.session() as session:
        session.execute(f"""INSERT INTO shop."OrderNotes" ("Order", "Note") VALUES ({order}, 'late')""")


def test_the_client_and_the_schema_agree_with_a_real_node(node: CassandraNode) -> None:
    """Also that what is there already, in the same definition, is success, and in another one an error."""
    live_test = Path(os.environ.get("CHERAX_LIVE_TEST", CHECKOUT / "build/dev/cassandra_live_test"))
    login = {"HOSTNAME": node.address, "PORT": node.cql_port, "USERNAME": "cassandra", "PASSWORD": "cassandra"}
    run(["env", *(f"CHERAX_CQL_{key}={value}" for key, value in login.items()), live_test], timeout=300).require_success()


def test_a_backup_speaks_tls_both_ways(cherax: Cherax, authority: Authority, work_directory: Path) -> None:
    certificate, key = map(str, authority.issue("cherax", "DNS:cherax"))
    other = str(Authority(work_directory / "other").certificate)
    trusted = {"ca_cert_path": str(authority.certificate), "client_cert_path": certificate, "client_key_path": key}

    def backup(**client: str) -> Finished:
        config = cherax.configs[0]
        with (
            changed_config(cherax, config["node"]["cassandra"]["client"], **client),
            changed_config(cherax, config["coordinator"]["plugin_config"]["client"], **client),
            changed_config(cherax, config["coordinator"], backup_attempts=1),
        ):
            return cherax.client("backup")

    backup(**trusted).require_success()
    for refused, says in (
        ({**trusted, "ca_cert_path": other}, "the server's certificate is refused"),
        ({**trusted, "tls_server_name": "elsewhere"}, "the server's certificate is refused"),
        ({"ca_cert_path": trusted["ca_cert_path"]}, "certificate"),
    ):
        failed = backup(**refused)
        assert failed.exit_code == 1
        assert says in failed.output and "127.0.0.1:9042" in failed.output


def test_triggers_and_custom_indexes_come_back(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax
) -> None:
    with node.session() as session:
        session.execute("CREATE TABLE shop.audit (id int PRIMARY KEY, written boolean)")
        session.execute("""CREATE TRIGGER audit ON shop."OrderNotes" USING 'AuditTrigger'""")
        session.execute(
            "CREATE CUSTOM INDEX customers_by_name ON shop.customers (name) "
            "USING 'org.apache.cassandra.index.sasi.SASIIndex'"
        )
    write_note(node, 1)
    assert audited(node, 1)
    content = settled_fingerprint(cluster, queries=QUERIES)
    name = cherax.backup()
    cluster.stop()
    node.wipe()
    cherax.restore(name).require_success()
    assert_same_through_each_node(cluster, content, queries=QUERIES)
    assert not audited(node, 2)
    write_note(node, 2)
    assert audited(node, 2)


def test_after_a_backup_a_compaction_gives_the_space_back(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax
) -> None:
    write_images(node)
    compact_images(node)
    before = used_space(node)
    cherax.backup()
    write_images(node)
    assert used_space(node) > 1.5 * before
    compact_images(node)
    assert used_space(node) < 1.2 * before


def write_images(node: CassandraNode) -> None:
    with node.session() as session:
        workload.write_images(session, IMAGES)
    node.nodetool("flush", "archive")


def compact_images(node: CassandraNode) -> None:
    node.nodetool("compact", "archive", "images")
    tables = node.root / "data/archive"
    wait_until(lambda: len(list(tables.glob("images-*/*-Data.db"))) == 1, "what was compacted is removed", 60)


def used_space(node: CassandraNode) -> int:
    """Of all below the root but the commit log, which Cassandra keeps for what it writes next; links count once."""
    found = {}
    for directory in (node.root / "data", node.root / ".astacus"):
        for path in directory.rglob("*"):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def test_a_login_that_is_newer_than_the_backup_ends_a_restore_and_says_so(
    cluster: CassandraCluster, node: CassandraNode, cherax: Cherax
) -> None:
    content = settled_fingerprint(cluster)
    name = cherax.backup()
    with node.session() as session:
        session.execute("ALTER ROLE cassandra WITH PASSWORD = 'rotated'")
    config = cherax.configs[0]
    clients = (config["node"]["cassandra"]["client"], config["coordinator"]["plugin_config"]["client"])
    with changed_config(cherax, clients[0], password="rotated"), changed_config(cherax, clients[1], password="rotated"):
        failed = cherax.restore(name, "--overwrite")
    assert failed.exit_code == 1
    for part in (f"{cherax.servers[0].url}", "goes on refusing Cherax", "plugin_config.client"):
        assert part in failed.output
    cherax.restore(name, "--overwrite").require_success()
    assert_same_through_each_node(cluster, content)
