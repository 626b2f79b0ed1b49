"""A wrong configuration: one clear error, status 1, and no server. A right one, as YAML and as JSON."""

from __future__ import annotations

import copy
import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cherax import KEY_ID, STORAGE, Cherax, default_binary, new_key_pair, request
from harness.process import free_port, port_open, run, wait_until

from .support import make_roots, secrets_of

Path_ = tuple[str | int, ...]
PASSWORD = "correct-horse-battery-staple"
ABSENT = object()


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """One that works, with a secret wherever there can be one."""
    (tmp_path / "root").mkdir()
    (tmp_path / "file").touch()
    cassandra_yaml = tmp_path / "cassandra.yaml"
    cassandra_yaml.touch()
    public, private = new_key_pair()
    client = {"config_path": str(cassandra_yaml), "username": "backup", "password": PASSWORD}
    port = free_port()
    return {
        "uvicorn": {"host": "127.0.0.1", "port": port, "log_level": "trace"},
        "coordinator": {
            "nodes": [{"url": f"http://127.0.0.1:{port}/node", "az": "a"}],
            "plugin": "cassandra",
            "plugin_config": {"client": dict(client)},
            "retention": {"minimum_backups": 3},
            "poll": {"delay_start": 1},
        },
        "node": {
            "root": str(tmp_path / "root"),
            "db_path": str(tmp_path / "db"),
            "parallel": {"hashes": 2},
            "cassandra": {"client": dict(client), "nodetool_command": ["/bin/true", PASSWORD]},
        },
        "object_storage": {
            "temporary_directory": str(tmp_path / "tmp"),
            "default_storage": "store",
            "storages": {"store": {"storage_type": "local", "directory": str(tmp_path / "store")}},
            "compression": {"algorithm": "zstd", "level": 3},
            "encryption_key_id": KEY_ID,
            "encryption_keys": {KEY_ID: {"public": public, "private": private}},
        },
    }


def edit(config: dict[str, Any], path: Path_, value: Any) -> None:
    at: Any = config
    for step in path[:-1]:
        at = at[step]
    if value is ABSENT:
        del at[path[-1]]
    else:
        at[path[-1]] = value



def in_words(path: Path_) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def line_of(text: str, path: Path_) -> int:
    """The line of a key, or of the nearest thing around it when it is missing."""
    node, line = yaml.compose(text), 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
            if not found:
                break
            key, node = found[0]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def write_config(config: dict[str, Any] | str, path: Path) -> str:
    text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
    if not isinstance(config, str) and path.suffix == ".json":
        text = json.dumps(config, indent=2)
    path.write_text(text)
    return text


def refused(path: Path) -> list[str]:
    """The lines of the error with which the server does not start."""
    command = ["timeout", "--kill-after=5", "10", str(default_binary()), "server", "-c", str(path)]
    done = run(command, timeout=30)
    assert "serving on" not in done.stderr, "it started"
    assert (done.exit_code, done.stdout) == (1, ""), done
    assert PASSWORD not in done.stderr
    assert not any(secret in done.stderr for secret in secrets_of({"object_storage": KEYS}))
    return done.stderr.removeprefix("cherax: ").splitlines()


KEYS = {"encryption_keys": {KEY_ID: dict(zip(("public", "private"), new_key_pair()))}}


@contextmanager
def started(config: dict[str, Any], path: Path) -> Iterator[Path]:
    """A server with this configuration, and its log."""
    write_config(config, path)
    log = path.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen([default_binary(), "server", "-c", path], stdout=out, stderr=out)
    try:
        port = config["uvicorn"]["port"]
        wait_until(lambda: port_open("127.0.0.1", port) or process.poll() is not None, "it listens", 20, pause=0.02)
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        process.terminate()
        code = process.wait(20)
    assert code == 0, log.read_text()


UNKNOWN_KEYS: list[tuple[Path_, str]] = [
    ((), "coordinator, node, object_storage"),
    (("uvicorn",), "host, port, log_level"),
    (("coordinator",), "nodes, plugin, plugin_config"),
    (("coordinator", "nodes", 0), "url, az"),
    (("coordinator", "plugin_config"), "client, nodes"),
    (("coordinator", "plugin_config", "client"), "config_path, hostnames"),
    (("coordinator", "retention"), "minimum_backups"),
    (("coordinator", "poll"), "delay_start"),
    (("node",), "root, az"),
    (("node", "parallel"), "downloads, hashes, uploads"),
    (("node", "cassandra"), "client, nodetool_command"),
    (("node", "cassandra", "client"), "config_path, hostnames"),
    (("object_storage",), "temporary_directory, default_storage"),
    (("object_storage", "storages", "store"), "directory, prefix"),
    (("object_storage", "compression"), "algorithm, level"),
    (("object_storage", "encryption_keys", KEY_ID), "public, private"),
]


@pytest.mark.parametrize(("section", "known"), UNKNOWN_KEYS, ids=[in_words(path) or "top" for path, _ in UNKNOWN_KEYS])
def test_refuses_an_unknown_key_at_every_level(
    section: Path_, known: str, config: dict[str, Any], tmp_path: Path
) -> None:
    path = (*section, "bogus")
    edit(config, path, PASSWORD)
    for suffix in (".yaml", ".json"):
        file = tmp_path / f"cherax{suffix}"
        text = write_config(config, file)
        (error,) = refused(file)
        assert error.startswith(f"{file}:{line_of(text, path)}: {in_words(path)}: unknown key; expected one of ")
        assert known in error


def test_refuses_an_unknown_key_of_statsd(config: dict[str, Any], tmp_path: Path) -> None:
    config["statsd"] = {"host": "127.0.0.1", "bogus": 1}
    file = tmp_path / "cherax.yaml"
    text = write_config(config, file)
    (error,) = refused(file)
    assert error.startswith(f"{file}:{line_of(text, ('statsd', 'bogus'))}: statsd.bogus: unknown key")


WRONG: list[tuple[Path_, Any, str]] = [
    # wrong type
    (("uvicorn", "port"), "http", "a whole number"),
    (("uvicorn", "port"), 70000, "from 0 to 65535"),
    (("uvicorn", "log_level"), "loud", "one of trace, debug, info"),
    (("coordinator", "nodes"), "http://127.0.0.1:1/node", "a list"),
    (("coordinator", "nodes", 0), "http://127.0.0.1:1/node", "an object"),
    (("coordinator", "nodes", 0, "url"), "localhost", "expected http(s)://host:port/node"),
    (("coordinator", "nodes", 0, "url"), "http://127.0.0.1:1", "expected http(s)://host:port/node"),
    (("coordinator", "nodes", 0, "url"), "https://[bad", "expected http(s)://host:port/node"),
    (("coordinator", "default_lock_ttl"), 0, "1 up"),
    (("coordinator", "poll", "delay_start"), 0, "1 up"),
    (("coordinator", "poll", "delay_max"), 0, "1 up"),
    (("coordinator", "poll", "duration"), 0, "1 up"),
    (("coordinator", "poll", "result_timeout"), 0, "1 up"),
    (("coordinator", "retention", "keep_days"), -1, "0 up"),
    (("coordinator", "backup_attempts"), [2], "a whole number"),
    (("coordinator", "plugin_config", "client", "password"), [PASSWORD], "text"),
    (("node", "copy_root_owner"), PASSWORD, "true or false"),
    (("node", "cassandra", "access_level"), "admin", "one of read, write"),
    (("object_storage", "storages"), [], "an object"),
    (("object_storage", "storages", "store"), "/backups", "an object"),
    (("object_storage", "encryption_keys", KEY_ID), PASSWORD, "an object"),
    (("object_storage", "encryption_keys", KEY_ID, "private"), [PASSWORD], "text"),
    # missing
    (("object_storage",), ABSENT, "backups are stored"),
    (("node",), ABSENT, "a section: every server is a node"),
    (("node", "root"), ABSENT, "required, but missing"),
    (("node", "cassandra"), ABSENT, "a section: coordinator.plugin is cassandra"),
    (("node", "db_path"), ABSENT, "required, but missing"),
    (("coordinator", "plugin"), ABSENT, "required, but missing"),
    (("object_storage", "storages", "store", "directory"), ABSENT, "required, but missing"),
    (("object_storage", "storages", "store", "storage_type"), ABSENT, "one of local"),
    # paths that do not exist
    (("node", "root"), "/nonexistent", "an existing directory"),
    (("node", "root"), "root", "absolute"),
    (("node", "root_link"), "/dev/shm/cherax-links", "on the same file system"),
    (("node", "db_path"), "@/file/db", "directory"),
    (("node", "cassandra", "nodetool_command"), ["/nonexistent/nodetool"], "a program that can be executed"),
    (("node", "cassandra", "client", "config_path"), "/nonexistent", "cassandra.yaml"),
    (("coordinator", "plugin_config", "client", "config_path"), "/nonexistent", "cassandra.yaml"),
    (("coordinator", "plugin_config", "client", "ca_cert_path"), "/nonexistent", "file"),
    (("node", "cassandra", "client", "ca_cert_path"), "/nonexistent", "file"),
    (("coordinator", "plugin_config", "client", "client_key_path"), "@/file", "ca_cert_path beside it"),
    (("node", "cassandra", "client", "tls_server_name"), "a", "ca_cert_path beside it"),
    (("object_storage", "temporary_directory"), "@/file/tmp", "directory"),
    # combinations and values that cannot be
    (("coordinator", "plugin"), "mongodb", "one of cassandra, files"),
    (("coordinator", "plugin_config", "nodes"), [{"address": "a"}, {"address": "b"}], "as many as coordinator.nodes"),
    (("object_storage", "default_storage"), "other", "the name of one of storages"),
    (("object_storage", "storages", "store", "storage_type"), "ftp", "one of local"),
    (("object_storage", "compression", "algorithm"), "gzip", "one of zstd, snappy, lzma"),
    (("object_storage", "compression", "level"), 99, "-131072 to 22"),
    (("object_storage", "encryption_key_id"), "other", "the name of one of encryption_keys"),
    (("object_storage", "encryption_keys", KEY_ID, "public"), PASSWORD, "PEM"),
    (("object_storage", "encryption_keys", KEY_ID, "private"), PASSWORD, "PEM"),
    (("object_storage", "encryption_keys", KEY_ID, "public"), new_key_pair("other")[0], "private"),
]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    WRONG,
    ids=[f"{in_words(path)}-{number}" for number, (path, _, _) in enumerate(WRONG)],
)
def test_refuses_a_wrong_value_with_its_line_its_key_and_what_was_expected(
    path: Path_, value: Any, expected: str, config: dict[str, Any], tmp_path: Path
) -> None:
    edit(config, path, value.replace("@", str(tmp_path)) if isinstance(value, str) else value)
    file = tmp_path / "cherax.yaml"
    text = write_config(config, file)
    (error,) = refused(file)
    assert error.startswith(f"{file}:{line_of(text, path)}: {in_words(path)}: ")
    assert expected in error


@pytest.mark.parametrize(
    ("wrong", "other"),
    [(("node", "db_path"), ("object_storage", "temporary_directory")),
     (("object_storage", "temporary_directory"), ("node", "db_path"))],
    ids=["db_path", "temporary_directory"],
)
def test_makes_no_directory_when_another_one_cannot_be_made(
    wrong: Path_, other: Path_, config: dict[str, Any], tmp_path: Path
) -> None:
    edit(config, wrong, str(tmp_path / "file/x"))
    edit(config, other, str(tmp_path / "new/y"))
    file = tmp_path / "cherax.yaml"
    write_config(config, file)
    before = sorted(tmp_path.rglob("*"))
    (error,) = refused(file)
    assert f": {in_words(wrong)}: " in error
    assert sorted(tmp_path.rglob("*")) == before


def test_refuses_neither_compression_nor_encryption(config: dict[str, Any], tmp_path: Path) -> None:
    for key in ("compression", "encryption_key_id"):
        del config["object_storage"][key]
    file = tmp_path / "cherax.yaml"
    text = write_config(config, file)
    (error,) = refused(file)
    assert error.startswith(f"{file}:{line_of(text, ('object_storage',))}: object_storage: ")
    assert "compression" in error and "encryption" in error


def test_refuses_a_prefix_that_leaves_the_directory(config: dict[str, Any], tmp_path: Path) -> None:
    config["object_storage"]["storages"]["store"]["prefix"] = "../elsewhere"
    file = tmp_path / "cherax.yaml"
    write_config(config, file)
    (error,) = refused(file)
    assert re.match(re.escape(str(file)) + r":\d+: object_storage\.storages\.store", error) and "folder" in error


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_refuses_a_storage_that_cannot_have_a_folder_in_the_cache(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    config["coordinator"]["object_storage_cache"] = str(tmp_path / "cache")
    storages = config["object_storage"]["storages"]
    storages[name] = storages["store"]
    file = tmp_path / "cherax.json"
    text = write_config(config, file)
    path = ("object_storage", "storages", name)
    (error,) = refused(file)
    assert error.startswith(f"{file}:{line_of(text, path)}: {in_words(path)}: ") and "object_storage_cache" in error
    assert not (tmp_path / "cache").exists() and not (tmp_path / "tmp").exists()


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("http://127.0.0.1:5515/node", "http://127.0.0.1:5515/node"),
        ("http://cassandra-1/node", f"http://operator:{PASSWORD}@Cassandra-1:80/node"),
        ("https://[::1]/node", "https://[0:0::1]:443/node"),
    ],
)
def test_refuses_the_same_node_twice(url: str, same: str, config: dict[str, Any], tmp_path: Path) -> None:
    """It could never be locked: its second lock is refused because of the first."""
    config["coordinator"]["nodes"] = [{"url": url}, {"url": same}]
    file = tmp_path / "cherax.yaml"
    text = write_config(config, file)
    path = ("coordinator", "nodes", 1, "url")
    (error,) = refused(file)
    assert error.startswith(f"{file}:{line_of(text, path)}: {in_words(path)}: ")


def test_refuses_a_key_id_without_any_keys(config: dict[str, Any], tmp_path: Path) -> None:
    del config["object_storage"]["encryption_keys"]
    file = tmp_path / "cherax.yaml"
    text = write_config(config, file)
    (error,) = refused(file)
    line = line_of(text, ("object_storage", "encryption_key_id"))
    assert error.startswith(f"{file}:{line}: object_storage.encryption_key_id: ")


def test_points_into_the_section_that_an_object_storage_stands_in(config: dict[str, Any], tmp_path: Path) -> None:
    storage = config.pop("object_storage")
    sections = ("coordinator", "node")
    for section in sections:
        config[section]["object_storage"] = copy.deepcopy(storage) | {"default_storage": "other"}
    file = tmp_path / "cherax.yaml"
    text = write_config(config, file)
    errors = refused(file)
    assert len(errors) == len(sections)
    for error, section in zip(errors, sections):
        path = (section, "object_storage", "default_storage")
        assert error.startswith(f"{file}:{line_of(text, path)}: {in_words(path)}: ")


@pytest.mark.parametrize("section", ["coordinator", "node"])
def test_refuses_a_section_without_an_object_storage(section: str, config: dict[str, Any], tmp_path: Path) -> None:
    """That of the other section does not count."""
    config[section]["object_storage"] = config.pop("object_storage")
    file = tmp_path / "cherax.yaml"
    write_config(config, file)
    (error,) = refused(file)
    assert error.startswith(f"{file}:1: object_storage: ") and "inside each of node and coordinator" in error


@pytest.mark.parametrize("own", [("coordinator",), ("node",), ("coordinator", "node")], ids="+".join)
def test_each_section_uses_its_own_object_storage_or_else_that_of_the_file(own: tuple[str, ...], tmp_path: Path) -> None:
    """The coordinator writes manifests, the node blocks: in stores of their own, here, each is found in one only."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 1)) as cherax:
        (config,) = cherax.configs
        stores = {"coordinator": cherax.store, "node": cherax.store}
        for section in own:
            stores[section] = tmp_path / section
            config[section]["object_storage"] = copy.deepcopy(config["object_storage"])
            config[section]["object_storage"]["storages"][STORAGE]["directory"] = str(stores[section])
            config[section]["object_storage"]["temporary_directory"] = str(tmp_path / f"tmp-{section}")
        if own == ("coordinator", "node"):
            del config["object_storage"]
        cherax.start()
        name = cherax.backup()
        listed = run([default_binary(), "manifest", "-c", cherax.servers[0].config_path, "list"])
    kinds = {store: {path.name for path in store.iterdir() if path.is_dir()} for store in stores.values()}
    assert "json" in kinds[stores["coordinator"]] and "json" not in kinds[stores["node"]]
    assert "data" in kinds[stores["node"]] and "data" not in kinds[stores["coordinator"]]
    assert all((tmp_path / f"tmp-{section}").is_dir() for section in own)
    assert name in listed.require_success().stdout


def test_lists_every_problem_at_once(config: dict[str, Any], tmp_path: Path) -> None:
    wrong: list[tuple[Path_, Any]] = [
        (("uvicorn", "port"), "http"),
        (("coordinator", "plugin"), "mongodb"),
        (("node", "root"), "/nonexistent"),
        (("node", "bogus"), 1),
        (("object_storage", "default_storage"), "other"),
        (("object_storage", "compression", "algorithm"), "gzip"),
        (("object_storage", "storages", "store", "storage_type"), "ftp"),
    ]
    for path, value in wrong:
        edit(config, path, value)
    file = tmp_path / "cherax.yaml"
    write_config(config, file)
    errors = refused(file)
    assert [path for path, _ in wrong if not any(f": {in_words(path)}: " in error for error in errors)] == []
    assert len(errors) == len(wrong)


@pytest.mark.parametrize(
    ("suffix", "text", "line"),
    [
        (".yaml", 'node:\n  root: [unclosed\npassword: "' + PASSWORD + "\n", 3),
        (".yaml", f"node:\n  root: /x\n  password: *{PASSWORD}\n", 3),
        (".yaml", f"node:\n  root: /x\n  password: @{PASSWORD}\n", 3),
        (".yaml", "node:\n\troot: /x\n", 2),
        (".yaml", "- node\n", 1),
        (".yaml", "node: {}\n---\nbogus: 1\n", 2),
        (".json", '{"node": {"root": "/x",\n  "password" "' + PASSWORD + '"}}', 2),
        (".json", '{"node": {}\n}\n{}', 3),
    ],
)
def test_refuses_what_is_neither_yaml_nor_json(suffix: str, text: str, line: int, tmp_path: Path) -> None:
    file = tmp_path / f"cherax{suffix}"
    file.write_text(text)
    (error,) = refused(file)
    assert error.startswith(f"{file}:{line}: ")


def test_refuses_an_empty_file(tmp_path: Path) -> None:
    file = tmp_path / "cherax.yaml"
    file.touch()
    (error,) = refused(file)
    assert error.startswith((f"{file}: ", f"{file}:1: "))


@pytest.mark.parametrize("indent", ["  ", "\t"])
def test_refuses_a_key_that_stands_there_twice(indent: str, tmp_path: Path) -> None:
    file = tmp_path / "cherax.json"
    lines = ["{", f'{indent}"node": {{', f'{indent * 2}"root": "/x",', f'{indent * 2}"root": "/y"', f"{indent}}}", "}"]
    file.write_text("\n".join(lines))
    (error,) = refused(file)
    assert error.startswith(f"{file}:4: ") and "node.root" in error and "twice" in error
    file = tmp_path / "cherax.yaml"
    file.write_text("node:\n  root: /x\nnode:\n  root: /y\n")
    (error,) = refused(file)
    assert error.startswith(f"{file}:3: ") and "twice" in error


def test_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        (error,) = refused(path)
        assert str(path) in error


def test_without_a_configuration_the_command_is_wrong(tmp_path: Path) -> None:
    done = run([default_binary(), "server"])
    assert done.exit_code == 2 and "--config" in done.stderr


def test_refuses_a_port_that_somebody_listens_on(config: dict[str, Any], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", config["uvicorn"]["port"]))
        taken.listen()
        file = tmp_path / "cherax.yaml"
        write_config(config, file)
        (error,) = refused(file)
    assert f"port {config['uvicorn']['port']}" in error and "in use" in error


def test_reads_yaml_and_json_alike_and_warns_only_beyond_loopback(config: dict[str, Any], tmp_path: Path) -> None:
    for suffix, host, warns in ((".yaml", "127.0.0.1", False), (".json", "0.0.0.0", True)):
        config["uvicorn"]["host"] = host
        with started(config, tmp_path / f"cherax{suffix}") as log:
            status, answer = request("GET", f"http://127.0.0.1:{config['uvicorn']['port']}/")
            assert (status, answer) == (200, {})
        warnings = [line for line in log.read_text().splitlines() if " warning " in line]
        assert bool(warnings) == warns
        assert not warns or ("without authentication" in warnings[0] and "0.0.0.0" in warnings[0])


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_the_warning_beyond_loopback_is_shown_at_every_level(
    level: str, config: dict[str, Any], tmp_path: Path
) -> None:
    config["uvicorn"] |= {"host": "0.0.0.0", "log_level": level}
    with started(config, tmp_path / "cherax.yaml") as log:
        assert request("GET", f"http://127.0.0.1:{config['uvicorn']['port']}/") == (200, {})
    (line,) = log.read_text().splitlines()
    assert " warning " in line and "without authentication" in line and "0.0.0.0" in line


def test_no_secret_reaches_the_log_or_an_answer(config: dict[str, Any], tmp_path: Path) -> None:
    """At the most talkative level, with operations that fail because nobody is there."""
    dead = f"http://operator:{PASSWORD}@127.0.0.1:{free_port()}/node"
    config["coordinator"]["nodes"].append({"url": dead})
    url = f"http://127.0.0.1:{config['uvicorn']['port']}"
    answers = []
    with started(config, tmp_path / "cherax.yaml") as log:
        for method, path in (
            ("GET", "/"),
            ("GET", "/list"),
            ("GET", "/node/metadata"),
            ("POST", f"/lock?locker={PASSWORD[:4]}&ttl=1"),
            ("POST", "/backup"),
            ("POST", "/restore"),
            ("POST", "/node/lock?locker=a&ttl=60"),
            ("POST", "/node/cassandra/get-schema-hash"),
            ("GET", "/backup/2"),
            ("GET", "/node/cassandra/1"),
        ):
            answers.append(request(method, url + path))
        assert [status for status, _ in answers if status == 500] == []
        for secret in (PASSWORD, *secrets_of(config)):
            assert secret not in json.dumps(answers)
    text = log.read_text()
    for secret in (PASSWORD, *secrets_of(config)):
        assert secret not in text


def test_needs_next_to_no_environment(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "cherax.yaml"
    write_config(config, file)
    process = subprocess.Popen([default_binary(), "server", "-c", file], env={}, cwd="/")
    try:
        wait_until(lambda: port_open("127.0.0.1", config["uvicorn"]["port"]), "it listens", 20, pause=0.02)
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_says_ready_once_it_can_be_reached(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "cherax.yaml"
    write_config(config, file)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(20)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        process = subprocess.Popen([default_binary(), "server", "-c", file], env=environment)
        try:
            assert notified.recv(100) == b"READY=1"
            assert request("GET", f"http://127.0.0.1:{config['uvicorn']['port']}/")[0] == 200
        finally:
            process.terminate()
            assert process.wait(20) == 0
