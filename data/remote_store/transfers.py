"""Copy files to and from a server, several at once, in bounded memory, with progress."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from fsspec.callbacks import Callback

from data.atomic_files import make_folder, publish, temporary_path
from data.progress import Progress
from data.remote_store.kept_files import LocalFile
from data.remote_store.listing import RemoteFile, content_md5, etag
from data.remote_store.place import CHUNK_BYTES, StorePlace

# larger ones go one at a time, in chunks of which several are on their way
_SMALL_BYTES = 4 * 2**20
_AT_ONCE = 16
_BATCH = 128
_TRIED = "warehouse/created-once"
# a bar for less would only flicker
_SHOWN_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Transfer:
    """A file on its way: its path on the server and on this machine, and its bytes."""

    remote: str
    local: Path
    size: int


def get_files(
    place: StorePlace,
    wanted: Sequence[Transfer],
    progress: Progress,
    announce: Callable[[Mapping[Transfer, LocalFile]], None],
) -> None:
    """Fetch files; each replaces the one here once it is whole and on disk.

    Args:
        place: the server.
        wanted: the files.
        progress: to report bytes to.
        announce: told of some at a time, once they came, before they are put in place.

    Raises:
        FileNotFoundError: one is not on the server any more.
        OSError: the disk is full.
        Exception: whatever the protocol's package raises.
    """
    for folder in {transfer.local.parent for transfer in wanted}:
        make_folder(folder)

    def get(batch: Sequence[Transfer], callback: Callback | None) -> None:
        aside = [temporary_path(transfer.local) for transfer in batch]
        remote = [transfer.remote for transfer in batch]
        try:
            if callback is None:
                place.files.get(remote, [str(path) for path in aside], **_batch_options(place))
            else:
                place.files.get_file(remote[0], str(aside[0]), callback=callback)
            came = dict(zip(batch, aside, strict=True))
            announce({file: LocalFile.of(path.stat()) for file, path in came.items()})
            for file, path in came.items():
                publish(path, file.local)
        finally:
            for path in aside:
                path.unlink(missing_ok=True)

    _transfer(wanted, get, "fetching the store", progress)


def put_files(place: StorePlace, sent: Sequence[Transfer], progress: Progress) -> None:
    """Send files, whatever was there.

    Raises:
        Exception: whatever the protocol's package raises.
    """

    def put(batch: Sequence[Transfer], callback: Callback | None) -> None:
        if callback is None:
            local = [str(transfer.local) for transfer in batch]
            remote = [transfer.remote for transfer in batch]
            place.files.put(local, remote, **_batch_options(place), **_chunked(place))
        else:
            _put_one(place, batch[0], callback)

    _transfer(sent, put, "sending the store", progress)


def put_guarded(
    place: StorePlace, sent: Transfer, there: RemoteFile | None, progress: Progress
) -> None:
    """Send a file only if the server still has what is known of it: nothing, or `there`.

    A new file is created and nothing else, by the condition that fsspec has for it; one that
    replaces another goes with S3's condition, while other servers have none in fsspec.

    Raises:
        Exception: whatever the protocol's package raises, also where the condition does not hold.
    """
    condition: dict[str, Any] = {}
    if there is None:
        condition = {"mode": "create"}
    elif place.is_s3 and (tag := etag(there)) is not None and sent.size < 2 * CHUNK_BYTES:
        condition = {"IfMatch": f'"{tag}"'}

    def put(batch: Sequence[Transfer], callback: Callback | None) -> None:
        _put_one(place, batch[0], callback or Callback(), **condition)

    _transfer([sent], put, "sending the store", progress)


def remove_files(place: StorePlace, paths: Sequence[str]) -> None:
    """Remove files of a server; one that is gone by now is.

    One by one: of a list, fsspec's `rm` takes names as patterns, and removes others that match.

    Raises:
        Exception: whatever the protocol's package raises.
    """

    def remove(path: str) -> None:
        with suppress(FileNotFoundError):
            place.files.rm_file(path)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(remove, paths):
            pass


def refuses_second(place: StorePlace) -> bool | None:
    """Whether the server keeps to the condition that a file be new, tried with an empty one.

    Some that speak S3's protocol pass over its conditions.

    Returns:
        None where the try failed for another reason, as it took too long.

    Raises:
        Exception: whatever the protocol's package raises where the file cannot be made.
    """
    path = place.of(_TRIED)
    if not place.files.exists(path):
        place.files.pipe_file(path, b"")
    try:
        place.files.pipe_file(path, b"", mode="create")
    except Exception as error:  # noqa: BLE001  (each package has a tree of errors of its own)
        return True if _is_refusal(error) else None
    return False


def same_content(place: StorePlace, there: RemoteFile, here: Path, *, thorough: bool) -> bool:
    """Whether a file of the server is the one here.

    Args:
        place: the server.
        there: the file of it.
        here: the file of this machine.
        thorough: where the server does not say what the content is, read it.

    Raises:
        Exception: whatever the protocol's package raises.
    """
    if here.stat().st_size != there.size:
        return False
    with here.open("rb") as mine:
        if (known := content_md5(there)) is not None:
            digest = hashlib.file_digest(mine, lambda: hashlib.md5(usedforsecurity=False))
            if digest.hexdigest() == known:
                return True
        if not thorough:
            return False
        mine.seek(0)
        with place.files.open(there.path, "rb", cache_type="none") as theirs:
            while chunk := mine.read(CHUNK_BYTES):
                if theirs.read(len(chunk)) != chunk:
                    return False
    return True


class _Bytes(Callback):  # type: ignore[misc]  # fsspec has no types
    """fsspec's callback as a report of bytes."""

    def __init__(self, report: Callable[[int], Any]) -> None:
        super().__init__()
        self._report = report

    def relative_update(self, inc: int = 1) -> None:
        """Take further bytes."""
        self._report(inc)


def _transfer(
    files: Sequence[Transfer],
    work: Callable[[Sequence[Transfer], Callback | None], None],
    label: str,
    progress: Progress,
) -> None:
    """Do the work for small files in batches, then for each large one with a callback."""
    total = sum(file.size for file in files)
    with ExitStack() as stack:
        report: Any = None
        if total >= _SHOWN_BYTES:
            report = stack.enter_context(progress(label, total))
        for batch in _batches(file for file in files if file.size < _SMALL_BYTES):
            work(batch, None)
            if report is not None:
                report(sum(file.size for file in batch))
        for file in files:
            if file.size >= _SMALL_BYTES:
                work([file], Callback() if report is None else _Bytes(report))


def _batches(files: Iterable[Transfer]) -> Iterable[list[Transfer]]:
    left = iter(files)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _put_one(place: StorePlace, file: Transfer, callback: Callback, **options: Any) -> None:
    place.files.put_file(
        str(file.local), file.remote, callback=callback, **_chunked(place), **options
    )


def _is_refusal(error: Exception) -> bool:
    """Whether a server says that a condition does not hold; by HTTP that is status 412."""
    if isinstance(error, FileExistsError) or getattr(error, "code", None) in (412, "412"):
        return True
    return re.search("pre-?condition", str(error), re.IGNORECASE) is not None


def _batch_options(place: StorePlace) -> dict[str, int]:
    return {"batch_size": _AT_ONCE} if place.files.async_impl else {}


def _chunked(place: StorePlace) -> dict[str, int]:
    return {"chunksize": CHUNK_BYTES} if place.is_s3 else {}
