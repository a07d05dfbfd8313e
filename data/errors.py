"""All errors that StreetReplay raises on purpose, each with a message of one line for a person.

StreetReplayError
├── LogError       a log that cannot be read at all (a bad record of it becomes a reject instead)
│   ├── RecordError    one record of a log is no challenge
│   └── FieldError     one value of a record is not what its key promises
├── StoreError     a store is missing, busy, damaged or holds other data
├── QueryError     DuckDB refused a query
├── SourceError    a source image is missing, unreadable, or not the one of its record
├── SourceAccessError  a server of source images does not answer, or refuses
├── WriteError     a file cannot be written: a full disk, a folder that may not be written
└── RunError       a replay cannot start, resume or be found
"""

import errno

_OF_THE_MACHINE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO, errno.ETIMEDOUT}
)


def is_of_the_machine(error: OSError) -> bool:
    """Whether a file could not be read for want of memory or handles, or for its disk's failure.

    What was not read may be whole then, and another try may read it.
    """
    return error.errno in _OF_THE_MACHINE


class StreetReplayError(Exception):
    """An error whose message names what failed, what was found and expected, and the remedy.

    Args:
        what: what failed, named so that a person can find it.
        found: what was there.
        expected: what should have been there.
        remedy: what a person can do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        found: object = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        parts = [what]
        if found is not None:
            parts.append(f"found {found}")
        if expected is not None:
            parts.append(f"expected {expected}")
        if remedy is not None:
            parts.append(remedy)
        super().__init__(parts[0] + (": " if len(parts) > 1 else "") + "; ".join(parts[1:]))


class LogError(StreetReplayError):
    """A log that cannot be read at all."""


class RecordError(LogError):
    """One record of a log is no challenge; it becomes a row of `rejects`."""


class FieldError(LogError):
    """One value of a record is invalid; the record is kept, the value becomes NULL."""


class StoreError(StreetReplayError):
    """A store is missing, busy, damaged or holds other data."""


class WriteError(StreetReplayError):
    """A file cannot be written; the one that was there before is unchanged."""


class QueryError(StreetReplayError):
    """DuckDB refused a query."""


class SourceError(StreetReplayError):
    """A source image is missing, unreadable, or not the one that the record names."""


class SourceAccessError(StreetReplayError):
    """A server of source images does not answer, or refuses.

    It says nothing of an image, so it is no `SourceError`: work ends, instead of going on without.
    """


class RunError(StreetReplayError):
    """A replay or a training cannot start, go on or be found."""
