"""A restore that fails by a fault that passes is tried again, as often as `restore_attempts` says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.cherax import Cherax
from harness.process import wait_until

from .support import assert_nothing_left, coordinate, make_roots, root_of, roots, tree


class Between:
    """Stands between the coordinator and a node, and tells each start of a download before it passes it on."""

    def __init__(self, node_url: str, on_download: Callable[[], None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.command == "POST" and self.path == "/node/download" and not json.loads(body).get("check_only"):
                    on_download()
                headers = {"Content-Type": "application/json"} if body else {}
                request = urllib.request.Request(
                    node_url.removesuffix("/node") + self.path, body or None, headers, method=self.command
                )
                try:
                    with urllib.request.urlopen(request, timeout=20) as response:
                        status, answer = response.status, response.read()
                except urllib.error.HTTPError as error:
                    status, answer = error.code, error.read()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = pass_on

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/node"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Fault:
    """The object of a file of the second node is missing at the first download, and back at the second."""

    def __init__(self, cherax: Cherax, stderr: Path) -> None:
        self.downloads = 0
        self.object = cherax.store / "data" / hashlib.blake2s((root_of(cherax, 1) / "own").read_bytes()).hexdigest()
        self._away = self.object.rename(cherax.directory / "away")
        self._stderr = stderr

    def on_download(self) -> None:
        self.downloads += 1
        if self.downloads == 2:
            wait_until(lambda: "attempt 2" in self._stderr.read_text(), "the second attempt is told", 8, pause=0.02)
            self._away.rename(self.object)


@pytest.fixture
def cherax(tmp_path: Path) -> Iterator[Cherax]:
    """Two nodes with a backup, which have lost everything since."""
    with Cherax.for_files(tmp_path / "cherax", make_roots(tmp_path, 2)) as cherax:
        cherax.start()
        cherax.backup()
        yield cherax


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_failed_restore_is_tried_as_often_as_configured(cherax: Cherax, attempts: int, tmp_path: Path) -> None:
    before = [tree(root) for root in roots(cherax)]
    stderr = tmp_path / "stderr"
    fault = Fault(cherax, stderr)
    between = Between(cherax.configs[0]["coordinator"]["nodes"][1]["url"], fault.on_download)
    cherax.stop()
    coordinate(cherax, restore_attempts=attempts)
    cherax.configs[0]["coordinator"]["nodes"][1]["url"] = between.url
    cherax.start()
    for root in roots(cherax):
        for path in tree(root):
            (root / path).unlink()

    with stderr.open("w") as file, closing(between):
        ended = subprocess.run(
            cherax.client_command("--json", "restore", wait=60), stdout=subprocess.PIPE, stderr=file, check=False
        )
    told = stderr.read_text()
    report = json.loads(ended.stdout)
    assert fault.downloads == attempts
    assert_nothing_left(cherax, [0, 1])
    if attempts == 1:
        assert ended.returncode == 1 and report["state"] == "fail", told
        assert fault.object.name in report["error"] and "attempt 2" not in told
        return
    assert ended.returncode == 0 and report["state"] == "done", told
    assert [tree(root) for root in roots(cherax)] == before
    assert report["attempt"] == 2
    assert "step 4 of 4: download the files, attempt 2 (" in told
    progress = report["progress"]
    assert progress["failed"] == 0
    assert progress["handled"] == progress["total"] == sum(
        1 + len(content) for files in before for content, _ in files.values()
    )
