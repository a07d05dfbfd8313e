"""A pool of which a process dies within the writing of its result; run by `test_processes`."""

import os
import signal
import sys
import time
from multiprocessing.connection import Connection

from data.errors import RunError
from data.machine.processes import Work, processes


def cut_short() -> bytes:
    """A result of which the pipe gets the first half, and then no more."""

    def half(connection: Connection, message: bytes) -> None:
        os.write(connection.fileno(), message[: len(message) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    Connection._send = half  # type: ignore[attr-defined]
    return bytes(2**20)


if __name__ == "__main__":
    try:
        with processes(2, work=Work("drawing", "rest a bit")) as pool:
            _ = pool.submit(time.sleep, 300)  # another one holds the pipe open too
            pool.submit(cut_short).result()
    except RunError as error:
        sys.exit(str(error))
