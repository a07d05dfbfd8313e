"""W&B's service on loopback, as far as its client asks for runs, their history and their files.

Queries are told apart by their names, as `wandb` 0.31 sends them; one that is not known fails the
test that sent it.
"""

import gzip
import hashlib
import io
import json
import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
from pyarrow import parquet

Json = dict[str, Any]

_QUERY = re.compile(r"query\s+(\w+)")
_FILES_A_PAGE = 50


@dataclass
class StubRun:
    """A run on the service: history rows in order of `_step`, and files by name.

    `listed` are names in its list of files beside those that it has, as a hostile service may send.
    `exported` rows at the start are in a Parquet file, the rest are what the service holds itself.
    """

    id: str
    rows: list[Json] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    config: Json = field(default_factory=dict)
    name: str = "validator-4-2.0.4"
    state: str = "finished"
    heartbeat: str = "2026-01-01T01:00:00Z"
    listed: dict[str, bytes] = field(default_factory=dict)
    parquet: bytes | None = None
    exported: int = 0

    def export(self, count: int) -> None:
        """Keep the first rows as Parquet too; there a row has the keys of all, many NULL."""
        rows = self.rows[:count]
        keys = {key for row in rows for key in row}
        columns = {key: [row.get(key) for row in rows] for key in sorted(keys)}
        written = io.BytesIO()
        parquet.write_table(pa.table(columns), written)
        self.parquet, self.exported = written.getvalue(), count

    @property
    def last_step(self) -> int:
        """Of its history, -1 without any."""
        return self.rows[-1]["_step"] if self.rows else -1

    def attributes(self) -> Json:
        """The run as a query shows it."""
        return {
            "id": f"run-{self.id}",
            "projectId": "7",
            "tags": [],
            "name": self.id,
            "displayName": self.name,
            "sweepName": None,
            "state": self.state,
            "group": None,
            "jobType": None,
            "commit": None,
            "readOnly": True,
            "createdAt": "2026-01-01T00:00:00Z",
            "heartbeatAt": self.heartbeat,
            "description": None,
            "notes": None,
            "historyLineCount": len(self.rows),
            "user": {"name": "validator", "username": "validator"},
            "config": json.dumps({key: {"value": value} for key, value in self.config.items()}),
            "systemMetrics": "{}",
            "summaryMetrics": json.dumps({"_step": self.last_step}),
            "historyKeys": {"lastStep": self.last_step, "keys": {}},
        }


@dataclass
class StubService:
    """The service: runs by entity and project. `before` may answer a request in its place."""

    projects: dict[tuple[str, str], list[StubRun]] = field(default_factory=dict)
    queries: list[tuple[str, Json]] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    before: Callable[["StubHandler", str], bool] = lambda _handler, _what: False
    url: str = ""

    def run(self, variables: Json) -> StubRun | None:
        """The run that a query names."""
        runs = self.projects.get((variables["entity"], variables["project"]), [])
        wanted = variables.get("name") or variables.get("run") or variables.get("runName")
        return next((run for run in runs if run.id == wanted), None)

    def answer(self, name: str, variables: Json) -> Json | None:
        """The data that a query asks for; None for a query that is not known."""
        if name in ("Viewer", "GetDefaultEntity"):
            edges: Json = {"edges": []}
            viewer = {"id": "1", "entity": "me", "username": "me", "email": "", "flags": "{}"}
            return {"viewer": viewer | {"teams": edges}}
        if name == "Runs":
            return {"project": self._runs(variables)}
        if name == "ServerFeaturesQuery":
            return {"serverInfo": {"features": []}}
        run = self.run(variables)
        known: dict[str, Callable[[StubRun], Json]] = {
            "Run": lambda run: run.attributes(),
            "RunHistoryKeys": lambda run: {"historyKeys": {"lastStep": run.last_step}},
            "RunParquetHistory": self._parquet_history,
            "HistoryPage": lambda run: {"history": self._history(run, variables)},
            "RunFiles": lambda run: self._files(run, variables),
        }
        if name not in known:
            return None
        return {"project": None if run is None else {"internalId": "7", "run": known[name](run)}}

    def _runs(self, variables: Json) -> Json | None:
        runs = self.projects.get((variables["entity"], variables["project"]))
        if runs is None:
            return None
        first = int(variables["cursor"] or 0)
        page = runs[first : first + variables["perPage"]]
        ends = range(first + 1, first + 1 + len(page))
        return {
            "internalId": "7",
            "runCount": len(runs),
            "readOnly": True,
            "runs": {
                "edges": [
                    {"node": run.attributes(), "cursor": str(end)}
                    for run, end in zip(page, ends, strict=True)
                ],
                "pageInfo": {
                    "endCursor": str(ends[-1]) if page else None,
                    "hasNextPage": first + len(page) < len(runs),
                },
            },
        }

    def _parquet_history(self, run: StubRun) -> Json:
        urls = [f"{self.url}/exported/{run.id}"] if run.parquet else []
        live = [{"_step": row["_step"]} for row in run.rows[run.exported :]]
        return {"parquetHistory": {"parquetUrls": urls, "liveData": live}}

    @staticmethod
    def _history(run: StubRun, variables: Json) -> list[str]:
        low, high = variables["minStep"], variables["maxStep"]
        return [json.dumps(row) for row in run.rows if low <= row["_step"] < high]

    def _files(self, run: StubRun, variables: Json) -> Json:
        files = run.files | run.listed
        pattern = variables.get("pattern")
        start = pattern.removesuffix("%") if pattern else ""
        names = sorted(name for name in files if name.startswith(start))
        first = int(variables.get("fileCursor") or 0)
        page = names[first : first + (variables.get("fileLimit") or _FILES_A_PAGE)]
        return {
            "fileCount": len(files),
            "files": {
                "edges": [
                    {
                        "node": self._file(run, name, files[name]),
                        "cursor": str(first + place + 1),
                    }
                    for place, name in enumerate(page)
                ],
                "pageInfo": {
                    "endCursor": str(first + len(page)),
                    "hasNextPage": first + len(page) < len(names),
                },
            },
        }

    def _file(self, run: StubRun, name: str, content: bytes) -> Json:
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        return {
            "id": name,
            "name": name,
            "url": f"{self.url}/files/{run.id}/{quote(name, safe='')}",
            "directUrl": f"{self.url}/files/{run.id}/{quote(name, safe='')}",
            "sizeBytes": str(len(content)),
            "mimetype": "text/html",
            "updatedAt": "2026-01-01T00:00:00Z",
            "md5": b64encode(digest).decode(),
        }

    def content(self, path: str) -> bytes | None:
        """What lies at a path of the file server."""
        _, kind, run_id, *name = path.split("/")
        runs = [run for runs in self.projects.values() for run in runs if run.id == run_id]
        if not runs:
            return None
        if kind == "exported":
            return runs[0].parquet
        return (runs[0].files | runs[0].listed).get(unquote(name[0]))


class StubHandler(BaseHTTPRequestHandler):
    """Answers a request of the client."""

    protocol_version = "HTTP/1.1"
    service: StubService

    def do_POST(self) -> None:
        """A GraphQL query, or telemetry of the client."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.endswith("/graphql"):
            self.reply(b"{}")
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        asked = json.loads(body)
        match = _QUERY.search(asked["query"])
        name = match[1] if match else ""
        variables = asked.get("variables") or {}
        self.service.queries.append((name, variables))
        if self.service.before(self, name):
            return
        data = self.service.answer(name, variables)
        if data is None:
            self.service.unknown.append(name or asked["query"])
            self.reply(b'{"errors": [{"message": "unknown query"}]}', 400)
            return
        self.reply(json.dumps({"data": data}).encode())

    def do_GET(self) -> None:
        """A file."""
        self.service.downloads.append(unquote(self.path))
        if self.service.before(self, self.path):
            return
        content = self.service.content(self.path)
        self.reply(content or b"", 404 if content is None else 200)

    def reply(self, content: bytes, status: int = 200, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def cut(self, content: bytes, sent: int) -> None:
        """Promise a whole answer, send a part of it, and close the connection."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:sent])
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(service: StubService) -> Iterator[StubService]:
    """The service, listening at its `url` until the block ends."""
    handler = type("Handler", (StubHandler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def account(service: StubService, folder: Path) -> dict[str, str]:
    """The environment of a process with an account on the service, and its files in a folder."""
    return {
        "WANDB_BASE_URL": service.url,
        "WANDB_API_KEY": "0" * 40,
        "WANDB_CACHE_DIR": str(folder / "wandb-cache"),
        "WANDB_CONFIG_DIR": str(folder / "wandb-config"),
        "WANDB_ERROR_REPORTING": "false",
        "NETRC": str(folder / "no-netrc"),
    }
