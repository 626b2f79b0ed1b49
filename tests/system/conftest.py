"""Fixtures of the system tests: each module has a directory, and clusters of its own that its tests share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import workload
from harness.cassandra import CassandraCluster
from harness.cherax import Cherax
from harness.fingerprint import settled_fingerprint

from .helpers import Backup


@pytest.fixture(scope="module")
def work_directory(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory that Cassandra's user can reach. It is kept, and named, if a test of the module fails."""
    os.umask(0o022)
    directory = Path(tempfile.mkdtemp(prefix=f"cherax-{request.module.__name__}-"))
    directory.chmod(0o755)
    failed_before = request.session.testsfailed
    yield directory
    if request.session.testsfailed > failed_before:
        print(f"\nthe files of the failed test: {directory}")
    else:
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def cluster(work_directory: Path) -> Iterator[CassandraCluster]:
    """Three nodes with a few rows of everything."""
    with CassandraCluster(work_directory / "cassandra") as cluster:
        cluster.create()
        workload.fill(cluster, workload.SMALL)
        yield cluster


@pytest.fixture(scope="module")
def cherax(work_directory: Path, cluster: CassandraCluster) -> Iterator[Cherax]:
    with Cherax.for_cassandra(work_directory / "cherax", cluster) as cherax:
        cherax.start()
        yield cherax


@pytest.fixture(scope="module")
def backup(cluster: CassandraCluster, cherax: Cherax) -> Backup:
    """The cluster's first."""
    content = settled_fingerprint(cluster)
    return Backup(cherax.backup(), content)
