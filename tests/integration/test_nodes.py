"""Nodes that are down, go down, answer nonsense, or belong to somebody else: told by name, and nothing stays locked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.cherax import Cherax
from harness.process import wait_until

from .support import (
    assert_nothing_left,
    coordinate,
    make_roots,
    objects,
    root_of,
    stalled,
    unlocked,
    wait_for_step,
    wait_for_upload,
    write,
)

Reply = tuple[int, str]


class FakeNode:
    """A node that takes the lock and answers everything else as the test says, by method and path."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], Reply]] = {
            "POST /node/lock": lambda: (200, '{"locked": true}'),
            "POST /node/relock": lambda: (200, '{"locked": true}'),
            "POST /node/unlock": lambda: (200, '{"locked": false}'),
            "POST /node/snapshot": lambda: (200, json.dumps({"op_id": 1, "status_url": f"{self.url}/snapshot/1"})),
        }
        self.asked: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                what = f"{self.command} {self.path.partition('?')[0]}"
                fake.asked.append(what)
                status, body = fake.answers.get(what, lambda: (404, '{"detail": "Not Found"}'))()
                if status == 0:
                    return self.connection.close()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_PUT = answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/node"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def fake() -> Iterator[FakeNode]:
    node = FakeNode()
    yield node
    node.close()


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    """Two nodes, of which a test may put another in place of the second."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        coordinate(cherax, backup_attempts=1, poll={"delay_max": 1, "maximum_failures": 2})
        yield cherax


def second_node(cherax: Cherax, url: str) -> None:
    for config in cherax.configs:
        config["coordinator"]["nodes"][1]["url"] = url


def assert_backup_fails(cherax: Cherax, *says: str) -> None:
    """And leaves neither a manifest nor a lock nor a hard link on the first node."""
    status = cherax.run_operation("backup")
    assert status["state"] == "fail"
    for words in says:
        assert words in status["error"]
    assert_no_backup(cherax)


def assert_no_backup(cherax: Cherax, *, killed: int | None = None) -> None:
    assert objects(cherax, "json") == []
    assert_nothing_left(cherax, [0], killed=killed)


def test_a_node_that_is_down_keeps_an_operation_from_starting(cherax: Cherax) -> None:
    cherax.start_server(0)
    status, answer = cherax.call("POST", "/backup")
    assert status == 409
    assert answer["detail"]["code"] == "cluster_lock_unavailable" and answer["holders"] == []
    assert cherax.servers[1].url in answer["reason"]
    assert unlocked(cherax, [0])
    told = cherax.client("backup")
    assert told.exit_code == 1 and cherax.servers[1].url in told.stderr


@pytest.mark.parametrize(
    "answer",
    [(200, "<html>welcome</html>"), (200, '{"locked": false}'), (200, "[]"), (500, "Internal Server Error"), (0, "")],
    ids=["HTML", "not locked", "a list", "500", "nothing"],
)
def test_a_node_that_answers_nonsense_to_lock_is_named(cherax: Cherax, fake: FakeNode, answer: Reply) -> None:
    fake.answers["POST /node/lock"] = lambda: answer
    second_node(cherax, fake.url)
    cherax.start_server(0)
    status, body = cherax.call("POST", "/backup")
    assert status == 409 and fake.url.removesuffix("/node") in body["reason"]
    assert unlocked(cherax, [0])


@pytest.mark.parametrize(
    "answer",
    [(200, "<html>"), (200, "{}"), (200, '{"op_id": [], "status_url": 5}'), (500, "oops"), (0, "")],
    ids=["HTML", "no members", "wrong members", "500", "nothing"],
)
def test_a_node_that_answers_nonsense_to_a_start_is_named(cherax: Cherax, fake: FakeNode, answer: Reply) -> None:
    fake.answers["POST /node/snapshot"] = lambda: answer
    second_node(cherax, fake.url)
    cherax.start_server(0)
    assert_backup_fails(cherax, fake.url.removesuffix("/node"), "snapshot")
    assert "POST /node/unlock" in fake.asked


@pytest.mark.parametrize(
    "answer",
    [(200, "<html>"), (200, "[1, 2]"), (200, '{"progress": {"final": "perhaps"}}'), (500, "{}"), (0, "")],
    ids=["HTML", "a list", "wrong members", "500", "nothing"],
)
def test_a_node_that_answers_nonsense_to_polls_is_given_up(cherax: Cherax, fake: FakeNode, answer: Reply) -> None:
    fake.answers["GET /node/snapshot/1"] = lambda: answer
    second_node(cherax, fake.url)
    cherax.start_server(0)
    assert_backup_fails(cherax, fake.url.removesuffix("/node"), "2 bad answers in a row about its snapshot")


def test_a_node_that_has_forgotten_its_operation_is_asked_only_once(cherax: Cherax, fake: FakeNode) -> None:
    fake.answers["GET /node/snapshot/1"] = lambda: (404, "{}")
    second_node(cherax, fake.url)
    cherax.start_server(0)
    assert_backup_fails(cherax, fake.url.removesuffix("/node"), "does not know its snapshot any more")
    assert fake.asked.count("GET /node/snapshot/1") == 1


FINAL = {"handled": 1, "failed": 0, "total": 1, "final": True}
FILE = {"relative_path": "x", "file_size": 300, "mtime_ns": 1, "hexdigest": "0" * 64}


@pytest.mark.parametrize(
    "result",
    [
        {"hashes": [{"hexdigest": "../../etc", "size": 1}]},
        {"hashes": [{"hexdigest": "0" * 64, "size": -1}]},
        {"hashes": [{"size": 1}]},
        {"hashes": ["0" * 64]},
        {"hashes": [{"hexdigest": "0" * 64, "size": size} for size in (300, 301)]},
        {"state": {"files": [{**FILE, "mtime_ns": "yesterday"}]}},
        {"state": {"files": [{**FILE, "content_b64": "eA=="}]}},
        {"state": {"files": [{**FILE, "hexdigest": "short"}]}},
    ],
)
def test_a_snapshot_that_cannot_be_ends_the_backup_without_a_manifest(
    cherax: Cherax, fake: FakeNode, result: dict[str, Any]
) -> None:
    whole = {"hostname": "x", "az": "", "progress": FINAL, "start": "2026-01-01T00:00:00Z", **result}
    fake.answers["GET /node/snapshot/1"] = lambda: (200, json.dumps(whole))
    upload = {"hostname": "x", "az": "", "progress": FINAL, "total_size": 0, "total_stored_size": 0}
    fake.answers["POST /node/upload"] = lambda: (200, json.dumps({"op_id": 2, "status_url": f"{fake.url}/upload/2"}))
    fake.answers["GET /node/upload/2"] = lambda: (200, json.dumps(upload))
    second_node(cherax, fake.url)
    cherax.start_server(0)
    assert_backup_fails(cherax)


def test_a_node_that_goes_down_before_its_upload_ends_the_backup(cherax: Cherax) -> None:
    cherax.start()
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        cherax.servers[1].kill()
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "fail" and cherax.servers[1].url in status["error"]
    assert_no_backup(cherax, killed=1)


def test_a_node_that_goes_down_in_its_upload_ends_the_backup(cherax: Cherax) -> None:
    cherax.start()
    with stalled(cherax.store, only_writes=True):
        number = cherax.start_operation("backup")
        wait_for_upload(cherax)
        cherax.servers[1].kill()
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "fail" and cherax.servers[1].url in status["error"]
    assert_no_backup(cherax, killed=1)
    cherax.start_server(1)
    assert cherax.run_operation("backup")["state"] == "done"


def test_a_node_that_was_restarted_in_the_middle_has_lost_its_lock_and_ends_the_backup(cherax: Cherax) -> None:
    coordinate(cherax, default_lock_ttl=2)
    cherax.start()
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        wait_for_step(cherax, "backup", number, 2)
        cherax.servers[1].kill()
        cherax.start_server(1)
    status = cherax.wait_for_operation("backup", number)
    assert status["state"] == "fail" and cherax.servers[1].url in status["error"]
    assert_no_backup(cherax)


def test_a_node_that_goes_down_in_a_restore_is_named_and_the_restore_can_be_repeated(cherax: Cherax) -> None:
    cherax.start()
    name = cherax.backup()
    own = Path(cherax.configs[1]["node"]["root"]) / "own"
    before = own.read_bytes()
    own.unlink()
    with stalled(cherax.store):
        number = cherax.start_operation("restore", {"name": name})
        cherax.servers[1].kill()
    status = cherax.wait_for_operation("restore", number)
    assert status["state"] == "fail" and cherax.servers[1].url in status["error"]
    assert unlocked(cherax, [0])
    cherax.start_server(1)
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    assert own.read_bytes() == before


def test_a_restore_that_has_lost_a_lock_ends_and_touches_nothing(cherax: Cherax) -> None:
    coordinate(cherax, default_lock_ttl=1)
    cherax.start()
    name = cherax.backup()
    own = [root_of(cherax, server) / "own" for server in (0, 1)]
    for path in own:
        path.unlink()
    with stalled(cherax.store):
        number = cherax.start_operation("restore", {"name": name})
        holder = cherax.call("POST", "/node/lock?locker=other&ttl=60", server=1)[1]["holder"]
        assert cherax.call("POST", f"/node/unlock?locker={holder['locker']}", server=1)[0] == 200
        assert cherax.call("POST", "/node/lock?locker=other&ttl=60", server=1)[0] == 200
        wait_until(lambda: unlocked(cherax, [0]), "the restore extends no lock any more", 10)
    status = cherax.wait_for_operation("restore", number)
    assert status["state"] == "fail"
    for words in ("lock is lost", cherax.servers[1].url):
        assert words in status["error"]
    assert not any(path.exists() for path in own)
    assert cherax.call("POST", "/node/unlock?locker=other", server=1)[0] == 200
    assert cherax.run_operation("restore", {"name": name})["state"] == "done"
    assert all(path.exists() for path in own)


def test_of_two_coordinators_the_second_is_told_who_was_first(cherax: Cherax) -> None:
    cherax.start()
    write(Path(cherax.configs[0]["node"]["root"]) / "more", b"more " * 1000)
    with stalled(cherax.store):
        number = cherax.start_operation("backup")
        lockers = set()
        for server in (0, 1):
            status, answer = cherax.call("POST", "/backup", server=server)
            assert status == 409 and answer["detail"] == {
                "code": "cluster_lock_unavailable",
                "message": "Unable to acquire cluster lock to create operation",
            }
            assert [holder["node"] for holder in answer["holders"]] == [server.url for server in cherax.servers]
            assert all(0 < holder["expires_in"] <= 600 for holder in answer["holders"])
            lockers |= {holder["locker"] for holder in answer["holders"]}
        assert len(lockers) == 1
    assert cherax.wait_for_operation("backup", number)["state"] == "done"
    assert len(objects(cherax, "json")) == 1
    assert unlocked(cherax, [0, 1])
