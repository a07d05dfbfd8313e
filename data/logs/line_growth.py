"""Logs of JSON lines that grew: reading goes on where the lines that are known end."""

import hashlib
from pathlib import Path

from data.logs.decompression import is_plain_text
from data.logs.json_logs import Reached, is_of_lines

_CHUNK = 2**20


def grew_from(path: Path, reached: Reached, sha256: str) -> bool:
    """Whether a file's first bytes are whole lines of this content, and more follow.

    Args:
        path: a log; False unless it holds JSON lines as plain UTF-8.
        reached: how far it was read.
        sha256: of what was read.
    """
    digest, left, last = hashlib.sha256(), reached.byte, b""
    try:
        if path.stat().st_size <= left or not is_plain_text(path) or not is_of_lines(path):
            return False
        with path.open("rb") as stream:
            while left and (chunk := stream.read(min(left, _CHUNK))):
                digest.update(chunk)
                left, last = left - len(chunk), chunk[-1:]
    except OSError:
        return False
    return not left and last == b"\n" and digest.hexdigest() == sha256
