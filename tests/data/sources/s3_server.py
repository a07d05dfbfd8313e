"""A local S3 server in a process of its own, and a line to it that counts bytes and can be cut."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

_PATIENCE = 300.0
_CHUNK = 2**14


@dataclass(frozen=True)
class S3Server:
    """A server that forgets all when it ends; it takes any key."""

    port: int

    def put(self, folder: Path, prefix: str) -> str:
        """Copy the files below a folder to `bucket/prefix`; return their URL."""
        bucket = prefix.partition("/")[0]
        self._put(bucket, b"")
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            self._put(f"{prefix}/{path.relative_to(folder)}", path.read_bytes())
        return f"s3://{prefix}"

    def _put(self, name: str, content: bytes) -> None:
        url = f"http://127.0.0.1:{self.port}/{quote(name)}"
        # of a form, which is urllib's default, the server takes no bytes
        headers = {"Content-Type": "application/octet-stream"}
        with urlopen(Request(url, content, headers, method="PUT"), timeout=_PATIENCE):
            pass


def environment(port: int) -> dict[str, str | None]:
    """What a command needs to read from the server at a port, and to give up soon."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """An empty server; `folder` gets its log."""
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=dict(os.environ))
    try:
        _await(port, process)
        yield S3Server(port)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    begun = time.monotonic()
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() - begun > _PATIENCE:
            raise TimeoutError(f"no server at {port}: status {process.poll()}")
        time.sleep(0.05)


class Line:
    """A line to a server: counts the bytes that come back, and may break after so many of them.

    The first request that holds certain bytes is held until `released` is set; `reached` says so.
    """

    def __init__(
        self, port: int, breaks_after: float = float("inf"), holds: bytes | None = None
    ) -> None:
        self.received = 0
        self.reached, self.released = threading.Event(), threading.Event()
        self._holds = holds
        self._breaks_after, self._port = breaks_after, port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            for target, ends in ((self._ask, (client, server)), (self._answer, (server, client))):
                threading.Thread(target=target, args=ends, daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(_CHUNK):
                if self._holds is not None and self._holds in chunk:
                    self.reached.set()
                    self.released.wait(_PATIENCE)
                server.sendall(chunk)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while chunk := server.recv(_CHUNK):
                with self._lock:
                    self.received += len(chunk)
                if self.received > self._breaks_after:
                    self.close()
                    break
                client.sendall(chunk)
        for end in (server, client):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def line_to(
    port: int, breaks_after: float = float("inf"), holds: bytes | None = None
) -> Iterator[Line]:
    """A line to the server at a port."""
    line = Line(port, breaks_after, holds)
    try:
        yield line
    finally:
        line.released.set()
        line.close()
