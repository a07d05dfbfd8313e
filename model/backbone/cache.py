"""A cache of images' features on disk, so that neither image nor backbone is needed twice.

One SQLite file for each fingerprint of what computed the features: bulk reads by key, all or
nothing after a crash, and not a file for each image. Every entry carries a checksum. A file or an
entry that is damaged is dropped with a note and computed again: no error of the cache ends a run.

Kept as float32, the very bits that were computed: 18 KB an image for 12 views of 384 features, 61
KB for 1280.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from data.errors import StoreError

Features = npt.NDArray[np.float32]

# Part of the name of a file: raised when what is in one changes, so that old ones are pruned.
_FORMAT = 1
_DIGITS = 16
_SUFFIX = ".sqlite"
_LOCK_SECONDS = 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS features (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    checksum INTEGER NOT NULL,
    value BLOB NOT NULL
)
"""
_SELECT = "SELECT key, checksum, value FROM features WHERE key IN (SELECT value FROM json_each(?))"
_SELECT_KEYS = "SELECT key FROM features WHERE key IN (SELECT value FROM json_each(?))"
_INSERT = "INSERT OR REPLACE INTO features (key, checksum, value) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM features WHERE key IN (SELECT value FROM json_each(?))"
_DELETE_OLDEST = (
    "DELETE FROM features WHERE entry IN "
    "(SELECT entry FROM features ORDER BY entry LIMIT max(0, (SELECT count(*) FROM features) - ?))"
)


@dataclass(frozen=True)
class FeatureCacheSettings:
    """`most_bytes` of features in the folder; SQLite's own overhead, some percent, not counted.

    When they are exceeded, files of other fingerprints go first, the one unused longest before the
    others, then the oldest entries of this one.
    """

    most_bytes: int = 20 * 2**30


class FeatureCache:
    """Features of one shape by key; several processes may use one folder."""

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        shape: tuple[int, int],
        on_note: Callable[[str], None] = lambda _: None,
        settings: FeatureCacheSettings = FeatureCacheSettings(),
    ) -> None:
        """Open a cache, or begin one.

        Args:
            folder: where its file lies, beside those of other fingerprints.
            fingerprint: of all that makes features of an image: views, weights, code.
            shape: of an image's features, (views, width).
            on_note: takes a line for a person when something damaged was dropped.
            settings: how large the folder may grow.

        Raises:
            StoreError: the folder cannot be made.
        """
        self._shape, self._on_note, self._settings = shape, on_note, settings
        self._noted: set[str] = set()
        identity = json.dumps([_FORMAT, fingerprint, shape])
        digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGITS]
        self.path = folder / f"features-{digest}{_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"feature cache {folder}", found=error.strerror, expected="a writable folder"
            ) from None

    def get_many(self, keys: Sequence[str]) -> dict[str, Features]:
        """The features (views, width) of those keys that are here; read-only arrays."""
        wanted = json.dumps(list(keys))
        features: dict[str, Features] = {}
        damaged: list[str] = []

        def read(connection: sqlite3.Connection) -> None:
            for key, checksum, value in connection.execute(_SELECT, [wanted]):
                if len(value) == self._entry_bytes and _checksum(key, value) == checksum:
                    features[key] = np.frombuffer(value, np.float32).reshape(self._shape)
                else:
                    damaged.append(key)
            if damaged:
                connection.execute(_DELETE, [json.dumps(damaged)])

        self._transact(read)
        if damaged:
            self._note_once(f"{len(damaged)} damaged entries dropped from {self.path}")
        return features

    def keys_among(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of the keys whose features are here, unless they turn out to be damaged."""
        here: set[str] = set()

        def read(connection: sqlite3.Connection) -> None:
            here.update(
                key for (key,) in connection.execute(_SELECT_KEYS, [json.dumps(list(keys))])
            )

        self._transact(read)
        return frozenset(here)

    def put_many(self, features: Mapping[str, Features]) -> None:
        """Add features, or replace them; all of them or, after a crash, none.

        Raises:
            StoreError: features of another shape.
        """
        rows = [self._row(key, value) for key, value in features.items()]

        def add(connection: sqlite3.Connection) -> None:
            connection.executemany(_INSERT, rows)
            connection.execute(_DELETE_OLDEST, [max(1, self._room() // self._entry_bytes)])

        if rows:
            self._transact(add)

    def __len__(self) -> int:
        """How many images' features are here."""
        count = 0

        def count_rows(connection: sqlite3.Connection) -> None:
            nonlocal count
            (count,) = connection.execute("SELECT count(*) FROM features").fetchone()

        self._transact(count_rows)
        return count

    @property
    def _entry_bytes(self) -> int:
        return 4 * self._shape[0] * self._shape[1]

    def _row(self, key: str, value: Features) -> tuple[str, int, bytes]:
        if value.shape != self._shape or value.dtype != np.float32:
            raise StoreError(
                f"features of {key}",
                found=f"{value.dtype} {value.shape}",
                expected=f"float32 {self._shape}",
            )
        raw = np.ascontiguousarray(value).tobytes()
        return key, _checksum(key, raw), raw

    def _room(self) -> int:
        """Bytes for this fingerprint's features; files of others are removed to make it.

        Called with the folder's lock held, so none of them is open.
        """
        others = {
            path: path.stat()
            for path in self.path.parent.glob(f"features-*{_SUFFIX}")
            if path != self.path
        }
        room = self._settings.most_bytes - sum(stat.st_size for stat in others.values())
        own = self.path.stat().st_size
        for path, stat in sorted(others.items(), key=lambda item: item[1].st_mtime):
            if own <= room:
                break
            _remove(path)
            room += stat.st_size
        return room

    def _transact(self, transaction: Callable[[sqlite3.Connection], None]) -> None:
        """Run one transaction on the file; where that fails, note why and go on without the cache.

        The file is opened anew each time, under the folder's lock, so that whoever holds the lock
        can remove files. That takes a millisecond or two; an image's features take seconds.
        """
        try:
            with FileLock(self.path.parent / "features.lock", timeout=_LOCK_SECONDS):
                try:
                    self._transact_locked(transaction)
                except sqlite3.OperationalError:
                    raise
                except sqlite3.DatabaseError as error:
                    _remove(self.path)
                    self._note_once(
                        f"feature cache {self.path} was damaged and begins anew: {error}"
                    )
                    self._transact_locked(transaction)
        except (sqlite3.Error, OSError) as error:
            self._note_once(f"feature cache {self.path} is not used: {error}")

    def _transact_locked(self, transaction: Callable[[sqlite3.Connection], None]) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(_SCHEMA)
            transaction(connection)
        # the time says which file was unused longest
        self.path.touch()

    def _note_once(self, line: str) -> None:
        """Pass a line on, but only once: a full disk would repeat it with every batch."""
        if line not in self._noted:
            self._noted.add(line)
            self._on_note(line)


def _checksum(key: str, value: bytes) -> int:
    return zlib.crc32(value, zlib.crc32(key.encode()))


def _remove(path: Path) -> None:
    for file in (path, path.with_name(f"{path.name}-journal")):
        file.unlink(missing_ok=True)
