"""The recorded HTTP surface, request by request, against a real server: statuses, bodies, ids and coercions."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.cherax import STORAGE, Cherax
from harness.process import wait_until

from .support import make_roots, stalled

NOT_FOUND = {"detail": "Not Found"}
NOT_ALLOWED = {"detail": "Method Not Allowed"}
OPERATIONS = ["backup", "lock", "restore", "unlock", "cleanup"]
DIGEST = "0" * 64


@pytest.fixture(scope="module")
def cherax(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cherax]:
    directory = tmp_path_factory.mktemp("api")
    with Cherax.for_files(directory / "cherax", make_roots(directory, 1)) as cherax:
        cherax.configs[0]["node"]["cassandra"] = {
            "client": {"config_path": str(directory / "cassandra.yaml")},
            "nodetool_command": ["/bin/true"],
        }
        (directory / "cassandra.yaml").touch()
        cherax.start()
        yield cherax


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


def ask(
    cherax: Cherax, method: str, target: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request with exactly these headers (and Host, and Content-Length)."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(cherax), timeout=20)
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        text = response.read()
        is_json = response.headers.get("content-type") == "application/json" and text
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            json.loads(text) if is_json else text.decode(),
        )
    finally:
        connection.close()


def port_of(cherax: Cherax) -> int:
    return int(cherax.servers[0].url.rsplit(":", 1)[1])


def unknown_operation(number: int) -> dict[str, Any]:
    return {"detail": {"code": "operation_id_mismatch", "op": number, "message": "Unknown operation id"}}


def problem(kind: str, *location: str | int, **more: Any) -> dict[str, Any]:
    messages = {
        "value_error.missing": "field required",
        "type_error.integer": "value is not a valid integer",
        "type_error.str": "str type expected",
        "type_error.sequence": "value is not a valid sequence",
        "type_error.bool": "value could not be parsed to a boolean",
        "type_error.enum": f"value is not a valid enumeration member; permitted: {', '.join(map(repr, OPERATIONS))}",
    }
    context = {"ctx": {"enum_values": OPERATIONS}} if kind == "type_error.enum" else {}
    return {"loc": list(location), "msg": messages[kind], "type": kind, **context, **more}


def missing(*location: str | int) -> dict[str, Any]:
    return problem("value_error.missing", *location)


@dataclass(frozen=True)
class Case:
    """A request that changes nothing, and its whole answer."""

    method: str
    target: str
    status: int
    body: Any
    sent: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    answers_with: dict[str, str] = field(default_factory=dict)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SENT_JSON = {"Content-Type": "application/json"}


def invalid(*problems: dict[str, Any]) -> dict[str, Any]:
    return {"detail": list(problems)}


NO_NUMBER = problem("type_error.integer", "path", "op_id")
NODE_OPERATIONS = ("snapshot", "upload", "download", "clear")

CASES = [
    Case("GET", "/", 200, {}),
    Case("GET", "/busy", 200, False),
    Case("GET", "/?x=y", 200, {}),
    # unknown paths, other spellings
    Case("GET", "/nope", 404, NOT_FOUND),
    Case("GET", "/a/b/c", 404, NOT_FOUND),
    Case("GET", "//list", 404, NOT_FOUND),
    Case("GET", "/LIST", 404, NOT_FOUND),
    Case("POST", "/node", 404, NOT_FOUND),
    Case("POST", "/node/nope", 405, NOT_ALLOWED, answers_with={"allow": "GET"}),
    Case("POST", "/backup/", 307, "", answers_with={"location": "http://@/backup"}),
    Case("GET", "/list/?storage=a%20b", 307, "", answers_with={"location": "http://@/list?storage=a%20b"}),
    Case("GET", "/%62usy", 200, False),
    # what Astacus has and we have not (docs/api.md)
    Case("POST", "/config/reload", 405, NOT_ALLOWED, answers_with={"allow": "GET"}),
    Case("POST", "/delta/backup", 405, NOT_ALLOWED, answers_with={"allow": "GET"}),
    *(
        Case("GET", path, 422, invalid(problem("type_error.enum", "path", "op_name"), NO_NUMBER))
        for path in ("/config/status", "/delta/list")
    ),
    Case("GET", "/delta/backup/1", 404, NOT_FOUND),
    Case("PUT", "/delta/backup/1/sub-result", 404, NOT_FOUND),
    *(Case("POST", f"/node/delta/{name}", 404, NOT_FOUND, sent="{}") for name in NODE_OPERATIONS),
    *(Case("GET", f"/node/delta/{name}/1", 404, NOT_FOUND) for name in NODE_OPERATIONS),
    *(Case("GET", path, 404, NOT_FOUND) for path in ("/docs", "/redoc", "/openapi.json")),
    # wrong methods
    Case("GET", "/backup", 405, NOT_ALLOWED, answers_with={"allow": "POST"}),
    Case("DELETE", "/restore", 405, NOT_ALLOWED, answers_with={"allow": "POST"}),
    Case("POST", "/list", 405, NOT_ALLOWED, answers_with={"allow": "GET"}),
    Case("POST", "/backup/1/sub-result", 405, NOT_ALLOWED, answers_with={"allow": "PUT"}),
    Case("OPTIONS", "/", 405, NOT_ALLOWED, answers_with={"allow": "GET"}),
    Case("HEAD", "/", 405, "", answers_with={"allow": "GET"}),
    # operation ids
    Case("GET", "/backup/999", 404, unknown_operation(999)),
    Case("GET", "/backup/-1", 404, unknown_operation(-1)),
    Case("GET", "/cleanup/0999", 404, unknown_operation(999)),
    Case("PUT", "/restore/999/sub-result", 404, unknown_operation(999), sent="garbage"),
    Case("GET", "/backup/x", 422, invalid(NO_NUMBER)),
    Case("GET", "/list/1", 422, invalid(problem("type_error.enum", "path", "op_name"))),
    Case(
        "GET",
        "/node/lock",
        422,
        invalid(problem("type_error.enum", "path", "op_name"), NO_NUMBER),
    ),
    Case("GET", "/node/snapshot/999", 404, unknown_operation(999)),
    Case("GET", "/node/upload/x", 422, invalid(problem("type_error.integer", "path", "op_id"))),
    Case("GET", "/node/cassandra/get-schema-hash/999", 404, unknown_operation(999)),
    # queries
    Case("POST", "/node/lock", 422, invalid(missing("query", "locker"), missing("query", "ttl"))),
    Case("POST", "/node/lock?locker=a", 422, invalid(missing("query", "ttl"))),
    Case("POST", "/node/lock?locker=a&ttl=1.5", 422, invalid(problem("type_error.integer", "query", "ttl"))),
    Case("POST", "/node/relock?ttl=1", 422, invalid(missing("query", "locker"))),
    Case("POST", "/node/unlock", 422, invalid(missing("query", "locker"))),
    Case("POST", "/lock?locker=a&ttl=x", 422, invalid(problem("type_error.integer", "query", "ttl"))),
    # bodies
    Case("POST", "/restore", 422, invalid(problem("type_error.str", "body", "name")), sent='{"name": []}'),
    Case(
        "POST",
        "/cleanup",
        422,
        invalid(problem("type_error.sequence", "body", "explicit_delete")),
        sent='{"explicit_delete": "x"}',
    ),
    Case("POST", "/node/snapshot", 422, invalid(missing("body", "groups")), sent='{"root_globs": ["**"]}'),
    Case(
        "POST", "/node/snapshot", 422, invalid(missing("body", "groups", 0, "root_glob")), sent='{"groups": [{}]}'
    ),
    Case("POST", "/node/upload", 422, invalid(missing("body", "hashes"), missing("body", "storage")), sent="{}"),
    Case("POST", "/node/release", 422, invalid(missing("body", "hexdigests"))),
    Case(
        "POST",
        "/node/download",
        422,
        invalid(*(missing("body", key) for key in ("storage", "backup_name", "snapshot_index", "root_globs"))),
        sent="{}",
    ),
    Case("POST", "/node/clear", 422, invalid(missing("body", "root_globs")), sent="{}"),
    # the node's operations need its lock, after their bodies are right
    Case("POST", "/node/snapshot", 409, {"detail": "Not locked"}, sent='{"groups": []}'),
    Case("POST", "/node/upload", 409, {"detail": "Not locked"}, sent='{"hashes": [], "storage": "x"}'),
    Case("POST", "/node/release", 409, {"detail": "Not locked"}, sent='{"hexdigests": [], "unknown": 1}'),
    Case("POST", "/node/clear", 409, {"detail": "Not locked"}, sent='{"root_globs": []}', headers=SENT_JSON),
    Case("POST", "/node/clear", 409, {"detail": "Not locked"}, sent='{"root_globs": [5, true]}'),
    Case("POST", "/node/cassandra/take-snapshot", 409, {"detail": "Not locked"}),
    Case("POST", "/node/relock?locker=a&ttl=1", 409, {"detail": "Not locked"}),
    Case("POST", "/node/unlock?locker=a&ttl=x", 409, {"detail": "Already unlocked"}),
    Case(
        "POST",
        "/node/cassandra/stop-cassandra",
        403,
        {"detail": "Cassandra subop stop-cassandra is not allowed on access level read"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.method} {case.target} {case.sent or ''}" for case in CASES])
def test_answers_as_recorded(case: Case, cherax: Cherax) -> None:
    answer = ask(cherax, case.method, case.target, case.sent, case.headers)
    assert answer.status == case.status, answer
    if answer.status == 422:  # the order of the problems is nobody's business
        found, expected = ([*map(json.dumps, body["detail"])] for body in (answer.body, case.body))
        assert sorted(found) == sorted(expected)
    else:
        assert answer.body == case.body
    for name, value in case.answers_with.items():
        assert answer.headers[name] == value.replace("@", f"127.0.0.1:{port_of(cherax)}")
    assert "transfer-encoding" not in answer.headers and "date" in answer.headers


BODIES: dict[str, list[str]] = {
    "/restore": ["storage", "name", "partial_restore_nodes", "stop_after_step"],
    "/cleanup": ["storage", "retention", "explicit_delete"],
    "/node/snapshot": ["groups", "root_globs", "result_url"],
    "/node/clear": ["root_globs", "result_url"],
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        ('{"name": "x", "explicit_delete": ["x"]}', FORM),  # curl's default
        ('{"name": "x"}', {"Content-Type": "text/plain"}),
        ('"backup-2020-01-01T00:00:00+00:00"', SENT_JSON),
        ("[]", {}),
    ],
    ids=["form", "text", "a JSON string", "a JSON list"],
)
def test_a_body_that_is_no_object_is_refused_and_not_taken_for_no_body(
    path: str, sent: str, headers: dict[str, str], cherax: Cherax
) -> None:
    """Otherwise `curl -d '{"name": …}' …/restore` restores the latest backup instead of the one that is named."""
    answer = ask(cherax, "POST", path, sent, headers)
    assert answer.status == 422, answer
    locations = [tuple(entry["loc"]) for entry in answer.body["detail"]]
    assert set(locations) >= {("body", name) for name in BODIES[path]} - {("body", "root_globs")}
    assert {(entry["msg"], entry["type"]) for entry in answer.body["detail"]} == {
        ("field required", "value_error.missing")
    }


@pytest.mark.parametrize("path", ["/restore", "/cleanup", "/node/snapshot", "/node/upload"])
def test_broken_json_is_one_problem_with_its_offset(path: str, cherax: Cherax) -> None:
    answer = ask(cherax, "POST", path, '{"name": ', {})
    assert answer.status == 422, answer
    (entry,) = answer.body["detail"]
    assert (entry["type"], entry["msg"], entry["loc"][0]) == ("json_invalid", "JSON decode error", "body")
    assert isinstance(entry["loc"][1], int) and entry["ctx"]["error"]


def test_the_lock_has_one_holder_and_says_so(cherax: Cherax) -> None:
    def call(what: str) -> tuple[int, Any]:
        answer = ask(cherax, "POST", f"/node/{what}")
        return answer.status, answer.body.get("locked", answer.body.get("detail"))

    assert call("lock?locker=a&ttl=60") == (200, True)
    assert call("lock?locker=a&ttl=60") == (409, "Already locked")
    assert call("lock?locker=b&ttl=60") == (409, "Already locked")
    assert call("relock?locker=b&ttl=60") == (403, "Locked by someone else")
    assert call("unlock?locker=b") == (403, "Locked by someone else")
    assert call("relock?locker=a&ttl=60") == (200, True)
    assert call("unlock?locker=a&ttl=0") == (200, False)
    assert call("unlock?locker=a") == (409, "Already unlocked")
    assert call("lock?locker=&ttl=60") == (200, True)
    assert call("relock?locker=&ttl=60") == (409, "Not locked")


def test_a_lock_ends_by_itself(cherax: Cherax) -> None:
    assert ask(cherax, "POST", "/node/lock?locker=a&ttl=1").status == 200
    wait_until(lambda: ask(cherax, "POST", "/node/lock?locker=b&ttl=1").status == 200, "the lock has ended", 10)
    assert ask(cherax, "POST", "/node/relock?locker=a&ttl=1").status == 403
    assert ask(cherax, "POST", "/node/unlock?locker=b").status == 200


@pytest.fixture
def locked(cherax: Cherax) -> Iterator[Cherax]:
    assert ask(cherax, "POST", "/node/lock?locker=test&ttl=60").status == 200
    yield cherax
    assert ask(cherax, "POST", "/node/unlock?locker=test").status == 200


def run_node_operation(cherax: Cherax, name: str, body: Any) -> dict[str, Any]:
    """Runs it to its end; returns its result."""
    started = ask(cherax, "POST", f"/node/{name}", json.dumps(body), {"Host": "somewhere:1"})
    assert started.status == 200, started
    assert set(started.body) == {"op_id", "status_url"}
    assert started.body["status_url"] == f"http://somewhere:1/node/{name}/{started.body['op_id']}"
    target = f"/node/{name}/{started.body['op_id']}"
    result: dict[str, Any] = {}

    def is_over() -> bool:
        result.update(ask(cherax, "GET", target).body)
        return bool(result["progress"]["final"])

    wait_until(is_over, f"{name} is over", 20, pause=0.02)
    assert ask(cherax, "GET", f"/node/{name}/{started.body['op_id'] + 1}").status == 404
    return result


def test_a_snapshot_has_the_recorded_shape(locked: Cherax) -> None:
    result = run_node_operation(locked, "snapshot", {"groups": [{"root_glob": "**"}]})
    assert {"hostname", "az", "progress", "start", "end", "state", "files", "total_size", "hashes"} <= set(result)
    assert result["az"] == "az1" and result["hostname"] == socket.gethostname()
    assert result["start"].endswith("Z") and result["end"].endswith("Z")
    assert (result["files"], result["total_size"]) == (4, 8 + 0 + 12000 + 55000)
    assert result["state"]["root_globs"] == ["**"]
    files = result["state"]["files"]
    assert [file["relative_path"] for file in files] == ["deep/small", "empty", "own", "shared"]
    assert (files[0]["content_b64"], files[1]["content_b64"]) == ("ZW1iZWRkZWQ=", "")
    assert "hexdigest" not in files[0] and "content_b64" not in files[2]
    assert result["hashes"] == [{"hexdigest": file["hexdigest"], "size": file["file_size"]} for file in files[2:]]


def test_a_snapshot_of_nothing_and_one_that_embeds_everything(locked: Cherax) -> None:
    result = run_node_operation(locked, "snapshot", {"groups": [{"root_glob": "*.none"}]})
    assert (result["state"], result["files"], result["hashes"]) == ({"root_globs": ["*.none"]}, 0, [])
    group = {"root_glob": "**", "excluded_names": ["shared"], "embedded_file_size_max": None}
    result = run_node_operation(locked, "snapshot", {"groups": [group]})
    assert (result["files"], result["hashes"]) == (3, [])


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("upload", {"storage": "nowhere", "hashes": []}, "nowhere"),
        ("upload", {"storage": STORAGE, "hashes": [{"hexdigest": DIGEST, "size": 1}]}, DIGEST),
        (
            "download",
            {"storage": STORAGE, "backup_name": "backup-none", "snapshot_index": 0, "root_globs": []},
            "backup-none",
        ),
    ],
)
def test_a_node_operation_that_fails_says_why_in_its_result(
    name: str, body: dict[str, Any], says: str, locked: Cherax
) -> None:
    result = run_node_operation(locked, name, body)
    assert result["progress"]["failed"] == 1 and result["progress"]["final"]
    assert says in result["error"]


def test_release_and_clear_have_plain_results(locked: Cherax) -> None:
    plain = {"hostname", "az", "progress"}
    assert set(run_node_operation(locked, "release", {"hexdigests": [DIGEST]})) == plain
    result = run_node_operation(locked, "clear", {"root_globs": ["*.none"]})
    assert set(result) == plain
    assert {key: result["progress"][key] for key in ("handled", "failed", "total", "final")} == {
        "handled": 0,
        "failed": 0,
        "total": 0,
        "final": True,
    }


def test_metadata_names_the_protocols_features_and_takes_a_body(cherax: Cherax) -> None:
    answer = ask(cherax, "GET", "/node/metadata", '{"result_url": "http://x/"}')
    assert answer.status == 200 and set(answer.body) == {"version", "features"}
    assert {"validate_file_hashes", "snapshot_groups", "release_snapshot_files"} <= set(answer.body["features"])


def test_an_operations_life_as_its_status_tells_it(cherax: Cherax) -> None:
    with stalled(cherax.store):
        started = ask(cherax, "POST", "/backup", "ignored", {"Host": "elsewhere:7"})
        assert started.status == 200 and set(started.body) == {"op_id", "status_url"}
        number = started.body["op_id"]
        assert started.body["status_url"] == f"http://elsewhere:7/backup/{number}"
        running = ask(cherax, "GET", f"/backup/0{number}").body
        assert running["state"] in ("starting", "running")
        assert set(running["progress"]) >= {"handled", "failed", "total", "final"}
        assert ask(cherax, "GET", "/busy").body is True
        assert ask(cherax, "GET", f"/restore/{number}").body == unknown_operation(number)
        woken = ask(cherax, "PUT", f"/backup/{number}/sub-result", "\xff{garbage".encode("latin-1"))
        assert (woken.status, woken.body) == (200, None)
        # an attempt that ends in 409 uses up an id
        assert ask(cherax, "POST", "/backup").status == 409
    done = cherax.wait_for_operation("backup", number)
    assert done["state"] == "done" and done["attempt"] == 1
    assert done["progress"]["final"] and done["progress"]["failed"] == 0
    assert done["backup"].startswith("backup-")
    assert done["step"] == {"name": "write the manifest", "number": 4, "count": 4}
    assert cherax.start_operation("backup") == number + 2
    cherax.wait_for_operation("backup", number + 2)


def test_a_lock_by_hand_is_an_operation_too(cherax: Cherax) -> None:
    locked = ask(cherax, "POST", "/lock?locker=a%20man&ttl=60", headers={"Host": "elsewhere:7"})
    assert set(locked.body) == {"op_id", "status_url", "unlock_url"}
    assert locked.body["unlock_url"] in (
        "http://elsewhere:7/unlock?locker=a%20man",
        "http://elsewhere:7/unlock?locker=a+man",
    )
    assert cherax.wait_for_operation("lock", locked.body["op_id"]) == {"state": "done"}
    assert ask(cherax, "POST", "/backup").status == 409
    unlocked = ask(cherax, "POST", "/unlock?locker=a%20man")
    assert cherax.wait_for_operation("unlock", unlocked.body["op_id"]) == {"state": "done"}
    assert ask(cherax, "POST", "/node/unlock?locker=a%20man").status == 409


def test_an_unknown_storage_is_refused_and_named(cherax: Cherax) -> None:
    for method, path, body in (
        ("POST", "/restore", '{"storage": "elsewhere"}'),
        ("POST", "/cleanup", '{"storage": "elsewhere"}'),
        ("GET", "/list?storage=elsewhere", None),
        ("GET", "/list", '"elsewhere"'),
    ):
        answer = ask(cherax, method, path, body)
        assert answer.status == 422, (path, answer)
        assert "elsewhere" in answer.body["detail"] and STORAGE in answer.body["detail"]


def test_the_list_has_the_recorded_shape(cherax: Cherax) -> None:
    name = cherax.backup()
    answer = ask(cherax, "GET", "/list", f'"{STORAGE}"')
    (storage,) = answer.body["storages"]
    assert storage["storage_name"] == STORAGE
    (entry,) = [entry for entry in storage["backups"] if entry["name"] == name]
    assert set(entry) == {
        "name",
        "start",
        "end",
        "plugin",
        "attempt",
        "nodes",
        "files",
        "total_size",
        "upload_size",
        "upload_stored_size",
        "cluster_files",
        "cluster_data_size",
        "tiered_storage_size",
    }
    assert (entry["plugin"], entry["attempt"], entry["nodes"], entry["files"]) == ("files", 1, 1, 4)
    assert entry["tiered_storage_size"] is None and not name.startswith("backup-")


def raw(cherax: Cherax, sent: bytes) -> bytes:
    """All that the server sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port_of(cherax)), timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_what_is_no_http_is_told_so(cherax: Cherax) -> None:
    for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01 hello\r\n\r\n"):
        head, body = raw(cherax, sent).split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 400 ") and b"text/plain; charset=utf-8" in head
        assert body == b"Invalid HTTP request received."


def test_old_and_chunked_requests_are_served(cherax: Cherax) -> None:
    old = raw(cherax, b"POST /lock?locker=old&ttl=1 HTTP/1.0\r\n\r\n")
    started = json.loads(old.split(b"\r\n\r\n", 1)[1])
    assert started["status_url"] == f"http://127.0.0.1:{port_of(cherax)}/lock/{started['op_id']}"
    cherax.wait_for_operation("lock", started["op_id"])
    assert ask(cherax, "POST", "/node/unlock?locker=old").status == 200
    head = b"POST /node/clear HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    body = b'{"root_globs": []}'
    for expect in (b"", b"Expect: 100-continue\r\n"):
        answer = raw(cherax, head + expect + b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert b'{"detail":"Not locked"}' in answer


def test_connections_are_kept_open(cherax: Cherax) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(cherax), timeout=20)
    for _ in range(3):
        connection.request("GET", "/busy")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"false")
        assert response.headers.get("connection") != "close"
    assert connection.sock is not None
    connection.close()
