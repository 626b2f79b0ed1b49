"""What an operator asks of operations: steps, attempts, mapping, and how their end is noticed."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cherax import Cherax

from .support import OLD, coordinate, make_roots, root_of, tree, unlocked, write

STEPS = ["BackupNameStep", "BackupManifestStep", "MapNodesStep", "RestoreStep"]


@pytest.fixture(scope="module")
def cherax(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cherax]:
    """Two nodes with a backup."""
    directory = tmp_path_factory.mktemp("operations")
    with Cherax.for_files(directory / "cherax", make_roots(directory, 2)) as cherax:
        cherax.start()
        cherax.backup()
        yield cherax


def test_an_unknown_step_is_refused_before_anything_is_locked(cherax: Cherax) -> None:
    assert cherax.call("POST", "/node/lock?locker=somebody&ttl=60", server=1)[0] == 200
    try:
        status, answer = cherax.call("POST", "/restore", {"stop_after_step": "FlyStep"})
        assert status == 422, "not 409: it did not come to the locks"
        assert "FlyStep" in answer["detail"] and all(step in answer["detail"] for step in STEPS)
    finally:
        assert cherax.call("POST", "/node/unlock?locker=somebody", server=1)[0] == 200
    told = cherax.client("restore", "--stop-after-step", "FlyStep")
    assert told.exit_code == 1 and "FlyStep" in told.stderr and "RestoreStep" in told.stderr


@pytest.mark.parametrize("step", [*STEPS, "map the backup's nodes to nodes"])
def test_a_restore_stops_after_the_step_that_was_named(step: str, cherax: Cherax) -> None:
    own = root_of(cherax) / "own"
    before = own.read_bytes()
    write(own, b"changed " * 1000, mtime=OLD + 1)
    status = cherax.run_operation("restore", {"stop_after_step": step})
    assert status["state"] == "done"
    expected = STEPS.index(step) + 1 if step in STEPS else 3
    assert status["step"]["number"] == expected and status["step"]["count"] == 4
    assert (own.read_bytes() == before) == (step == "RestoreStep")
    cherax.run_operation("restore")
    assert own.read_bytes() == before


def test_the_next_operation_may_follow_at_once_on_the_end_of_one(cherax: Cherax) -> None:
    for body in ({"name": "none"}, {"stop_after_step": "MapNodesStep"}):
        for _ in range(5):
            status = cherax.run_operation("restore", body)
            assert status["state"] in ("done", "fail")  # and its locks are gone: the next one is not refused


def test_of_a_restore_the_progress_is_files_and_bytes(cherax: Cherax) -> None:
    own = root_of(cherax) / "own"
    own.unlink()
    status = cherax.run_operation("restore")
    progress = status["progress"]
    assert progress["handled"] == progress["total"] == sum(
        1 + len(content) for server in (0, 1) for content, _ in tree(root_of(cherax, server)).values()
    )
    assert progress["final"] and progress["failed"] == 0


PARTIAL_WRONG: list[tuple[list[Any], str]] = [
    ([{"backup_index": 7, "node_index": 0}], "backup"),
    ([{"backup_index": 0, "node_index": 7}], "node"),
    ([{"backup_hostname": "nobody", "node_index": 0}], "backup"),
    ([{"backup_index": 0, "node_url": "http://127.0.0.1:1/node"}], "node"),
    ([{"backup_index": 0, "node_index": 0}, {"backup_index": 1, "node_index": 0}], "twice"),
    ([{"backup_index": -1, "node_index": 0}], "backup"),
    ([{"backup_index": 0, "backup_hostname": "both", "node_index": 0}], "partial_restore_nodes"),
    ([{"backup_index": 0, "node_index": 0, "node_url": "both"}], "partial_restore_nodes"),
    ([{"backup_index": 0}], "partial_restore_nodes"),
    ([{}], "partial_restore_nodes"),
]


@pytest.mark.parametrize(("nodes", "says"), PARTIAL_WRONG, ids=[json.dumps(nodes) for nodes, _ in PARTIAL_WRONG])
def test_a_mapping_that_cannot_be_is_refused_and_nothing_touched(
    nodes: list[Any], says: str, cherax: Cherax
) -> None:
    write(root_of(cherax) / "surplus", b"surplus")
    before = [tree(root_of(cherax, server)) for server in (0, 1)]
    status, answer = cherax.call("POST", "/restore", {"partial_restore_nodes": nodes})
    error = json.dumps(answer)
    if status == 200:
        ended = cherax.wait_for_operation("restore", answer["op_id"])
        assert ended["state"] == "fail"
        error = ended["error"]
    else:
        assert status == 422
    assert says in error
    assert [tree(root_of(cherax, server)) for server in (0, 1)] == before


def test_a_partial_restore_touches_only_the_nodes_that_it_names(cherax: Cherax) -> None:
    cherax.run_operation("restore")
    first, second = ({path: content for path, (content, _) in tree(root_of(cherax, n)).items()} for n in (0, 1))
    for server in (0, 1):
        write(root_of(cherax, server) / "own", b"changed " * 1000, mtime=OLD + 1)
    url = cherax.configs[0]["coordinator"]["nodes"][1]["url"]
    body = {"partial_restore_nodes": [{"backup_index": 0, "node_url": url}]}
    assert cherax.run_operation("restore", body)["state"] == "done"
    assert (root_of(cherax, 1) / "own").read_bytes() == first["own"]
    assert (root_of(cherax, 0) / "own").read_bytes() == b"changed " * 1000
    cherax.run_operation("restore")
    assert (root_of(cherax, 1) / "own").read_bytes() == second["own"]


def test_a_node_without_a_part_in_the_backup_is_emptied_of_what_the_globs_match(tmp_path: Path) -> None:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        nodes = cherax.configs[0]["coordinator"]["nodes"]
        coordinate(cherax, nodes=nodes[:1])
        cherax.start()
        name = cherax.backup()
        cherax.stop()
        coordinate(cherax, nodes=nodes)
        cherax.start()
        (root_of(cherax, 1) / ".hidden").write_text("no glob matches it")
        status = cherax.run_operation("restore", {"name": name})
        assert status["state"] == "done", status
        assert list(tree(root_of(cherax, 1))) == [".hidden"]


def test_the_end_of_a_nodes_work_is_noticed_without_a_poll(tmp_path: Path) -> None:
    """With polls a minute apart, four steps in a few seconds are the work of the nodes' callbacks."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        coordinate(cherax, poll={"delay_start": 60})
        cherax.start()
        assert cherax.wait_for_operation("backup", cherax.start_operation("backup"), timeout=30)["state"] == "done"


def test_without_callbacks_polls_notice_it(cherax: Cherax) -> None:
    """The caller's Host is where the nodes send their callbacks: nobody is there."""
    request = urllib.request.Request(cherax.servers[0].url + "/backup", method="POST", headers={"Host": "127.0.0.1:1"})
    with urllib.request.urlopen(request, timeout=20) as response:
        started = json.load(response)
    assert started["status_url"].startswith("http://127.0.0.1:1/backup/")
    status = cherax.wait_for_operation("backup", started["op_id"])
    assert (status["state"], status["attempt"]) == ("done", 1)


def test_an_empty_cluster_is_backed_up_and_restored(tmp_path: Path) -> None:
    roots = [tmp_path / f"root{number}" for number in range(2)]
    for root in roots:
        root.mkdir()
    with Cherax.for_files(tmp_path / "cherax", roots) as cherax:
        cherax.start()
        name = cherax.backup()
        (entry,) = cherax.backups()
        assert (entry["nodes"], entry["files"], entry["total_size"], entry["upload_size"]) == (2, 0, 0, 0)
        write(roots[1] / "surplus", b"surplus " * 100)
        assert cherax.run_operation("restore", {"name": name})["state"] == "done"
        assert [tree(root) for root in roots] == [{}, {}]


def test_a_cluster_without_nodes_has_nothing_to_back_up(tmp_path: Path) -> None:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 1)) as cherax:
        coordinate(cherax, nodes=[])
        cherax.start()
        status = cherax.run_operation("backup")
        assert status["state"] == "fail" and "coordinator.nodes" in status["error"]


def test_a_root_that_is_gone_is_named(tmp_path: Path) -> None:
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 1)) as cherax:
        coordinate(cherax, backup_attempts=1)
        cherax.start()
        name = cherax.backup()
        shutil.move(root_of(cherax), tmp_path / "away")
        for operation, body in (("backup", None), ("restore", {"name": name})):
            status = cherax.run_operation(operation, body)
            assert status["state"] == "fail" and str(root_of(cherax)) in status["error"]
            assert not root_of(cherax).exists() or tree(root_of(cherax)) == {}
        assert unlocked(cherax, [0])
