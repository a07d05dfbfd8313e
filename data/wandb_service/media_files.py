"""Download what a run logged as media: each file whole or not at all, a few at a time."""

import shutil
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http import HTTPStatus
from pathlib import Path

from data.errors import LogError
from data.logs.line_spans import MAX_RECORD_BYTES
from data.logs.media_html import media_step
from data.text import printable
from data.wandb_service.client import MEDIA_FOLDER, ServiceFile
from data.wandb_service.daemon_threads import each_in_threads
from data.wandb_service.errors import RESUME, http_status

_AT_A_TIME = 8
# Files that wait for their turn: their addresses hold for some minutes only.
_WAITING = 24
_TRIES = 4
_FIRST_PAUSE = 0.5
_PARTIAL = ".partial-"
_MD5_BYTES = 16
# Answers that say nothing of the file that was asked for, but of all.
_STOPS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True)
class LeftOut:
    """Media files of a run that were not downloaded: the reason by base name.

    Attributes:
        refused: the service lists them, and does not give them.
        too_large: no record is that large, so that asking again is no use.
    """

    refused: dict[str, str] = field(default_factory=dict)
    too_large: dict[str, str] = field(default_factory=dict)


class _RefusedError(Exception):
    """The service lists a file and answers that it cannot be had."""


def download_media(
    files: Iterator[ServiceFile], folder: Path, report: Callable[[], object]
) -> LeftOut:
    """Download the media files that are not whole on disk yet; returns those that it left out.

    Args:
        files: as the service lists them; another name than that of a challenge's media is none.
        folder: where `media/html` of the run lies.
        report: called for each file that is done with.

    Raises:
        LogError: a file cannot be downloaded whole; those before it are kept.
        wandb.Error: the service refuses the account, or more requests.
        OSError: the disk is full, or the folder may not be written.
    """
    left_out = LeftOut()
    present = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}

    def lacking() -> Iterator[tuple[ServiceFile, str]]:
        for file in files:
            name = _media_name(file.name)
            if name is None or present.get(name) == file.size:
                continue
            if file.size > MAX_RECORD_BYTES:
                left_out.too_large[name] = f"{file.size} bytes, over {MAX_RECORD_BYTES}"
            else:
                yield file, name

    with _partial_folder(folder) as partial:

        def fetch(named: tuple[ServiceFile, str]) -> None:
            try:
                _fetch(named[0], folder / named[1], partial)
            except _RefusedError as error:
                left_out.refused[named[1]] = str(error)

        for _ in each_in_threads(fetch, lacking(), _AT_A_TIME, _WAITING):
            report()
    return left_out


@contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    """A folder for files that are not whole yet, beside the whole ones; removed at the end."""
    for left_over in folder.parent.glob(f"{_PARTIAL}*"):  # of a killed process
        shutil.rmtree(left_over, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=folder.parent))
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _media_name(name: str) -> str | None:
    """The base name of a challenge's media file; None for any other name, such as a path."""
    folder, _, base = name.rpartition("/")
    return base if folder == MEDIA_FOLDER and media_step(base) is not None else None


def _fetch(file: ServiceFile, target: Path, partial: Path) -> None:
    """Download a file to its place, if need be in several tries."""
    for left in reversed(range(_TRIES)):
        own = Path(tempfile.mkdtemp(dir=partial))
        try:
            problem = _problem(file, own)
            if problem is None:
                (own / file.name).replace(target)
                return
        finally:
            shutil.rmtree(own, ignore_errors=True)
        if not left:
            raise LogError(
                printable(file.name), found=problem, expected=_whole(file), remedy=RESUME
            )
        time.sleep(_FIRST_PAUSE * 2 ** (_TRIES - 1 - left))


def _problem(file: ServiceFile, folder: Path) -> str | None:
    """Download a file below a folder; why it is not whole, None where it is.

    Raises:
        _RefusedError: the service says that this file cannot be had.
        wandb.Error: the service refuses the account, or more requests.
    """
    import wandb  # noqa: PLC0415

    try:
        file.download(folder)
    except wandb.Error as error:
        # the client tries again by itself where it is told to wait, not where a connection is cut
        status = http_status(error)
        if status in _STOPS:
            raise
        if (
            status is not None
            and status != HTTPStatus.REQUEST_TIMEOUT
            and (HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR)
        ):
            raise _RefusedError(f"HTTP status {status}") from None
        return printable(" ".join(str(error).split()), 200)
    content = (folder / file.name).read_bytes()
    if len(content) != file.size:
        return f"{len(content)} bytes"
    expected = _md5_bytes(file.md5)
    if expected is not None and md5(content, usedforsecurity=False).digest() != expected:
        return "other bytes than the service lists"
    return None


def _whole(file: ServiceFile) -> str:
    return f"{file.size} bytes, as the service lists it"


def _md5_bytes(text: str | None) -> bytes | None:
    """A digest in base64 or in hex; None for what is neither."""
    if not isinstance(text, str):
        return None
    try:
        is_hex = len(text) == 2 * _MD5_BYTES
        digest = bytes.fromhex(text) if is_hex else b64decode(text, validate=True)
    except ValueError:
        return None
    return digest if len(digest) == _MD5_BYTES else None
