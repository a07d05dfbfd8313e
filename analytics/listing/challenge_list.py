"""All challenges of a store as a list that is filtered, sorted and paged by DuckDB.

What it is filtered by is put side by side once, in DuckDB's memory; so each filter and page takes
milliseconds, and no more than a page of it comes to Python.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from analytics.listing.challenge_filter import ChallengeFilter, Sorting
from analytics.miners.kept_estimates import DIFFICULTIES
from analytics.queries.challenge_answers import AnswerOutcome
from analytics.warehouse.connection import reading
from analytics.warehouse.statements import each_row, named_rows, statements
from data.csv_bytes import csv_bytes
from data.store import Store

_NO_DIFFICULTIES = DIFFICULTIES.empty_table()


@dataclass(frozen=True)
class ListedChallenge:
    """A challenge in a list.

    Of `asked` answers of miners `answered` are finite and not -1, and `correct` are right.
    `probability`, `candidate`, `fidelity` and `reason` are of the replay, which may not have been
    asked. `time` is UTC; `difficulty` in logits.
    """

    challenge_id: str
    time: datetime | None
    era: str
    label: int
    source: str | None
    city: str | None
    level: int | None
    asked: int
    answered: int
    correct: int
    probability: float | None
    candidate: AnswerOutcome
    fidelity: str | None
    reason: str | None
    difficulty: float | None

    @property
    def right_share(self) -> float | None:
        """The share of miners' answers that are right, 0..1; None where nobody answered."""
        return self.correct / self.answered if self.answered else None


@dataclass(frozen=True)
class Neighbours:
    """Where a challenge stands among the matching ones, from 0 on, and the ids beside it."""

    position: int
    previous: str | None
    next: str | None


class ChallengeList:
    """The challenges of a store beside the answers of one replay, or of none.

    It keeps what was published when it was made; several threads may use it at once.
    """

    def __init__(
        self, store: Store, run_id: str | None, difficulties: pa.Table = _NO_DIFFICULTIES
    ) -> None:
        """Put what challenges are filtered by side by side.

        Args:
            store: which.
            run_id: a finished replay; None: no challenge has an answer of a candidate.
            difficulties: of `DIFFICULTIES`; challenges without one have none.

        Raises:
            StoreError: the store holds no warehouse, or one that cannot be read.
        """
        with ExitStack() as opened:
            self._connection = opened.enter_context(reading(store))
            self._connection.register("given", difficulties)
            self._connection.execute("CREATE TABLE memory.main.difficulties AS FROM given")
            self._connection.unregister("given")
            # one after the other, so that the memory of one is free for the next
            for step in ("list_types", "answer_counts", "ordinals"):
                self._connection.execute(statements(f"analytics/listing/{step}")).fetchall()
            listing = statements("analytics/listing/listed_challenges")
            self._connection.execute(listing, {"run_id": run_id})
            self._connection.execute("DROP TABLE answer_counts; DROP TABLE ordinals")
            self._connection.execute("DROP TABLE memory.main.difficulties")
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Free its memory."""
        self._opened.close()

    @contextmanager
    def matching(
        self, chosen: ChallengeFilter, sorting: Sorting = Sorting.OLDEST
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with the temporary table `matching`, the challenges that were chosen.

        Raises:
            QueryError: a condition cannot be read.
        """
        parameters = chosen.parameters() | {"sorting": sorting}
        with self.cursor() as connection:
            connection.execute(statements("analytics/listing/matching"), parameters)
            yield connection

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the same tables."""
        connection = self._connection.cursor()
        try:
            connection.execute("USE warehouse")
            yield connection
        finally:
            connection.close()


def challenge_page(
    connection: duckdb.DuckDBPyConnection, offset: int, limit: int
) -> list[ListedChallenge]:
    """At most `limit` of the matching challenges in their order, from `offset` on (0-based)."""
    query = statements("analytics/listing/page")
    rows = named_rows(connection.execute(query, {"limit": limit, "offset": offset}))
    return [ListedChallenge(candidate=AnswerOutcome(row.pop("candidate")), **row) for row in rows]


def challenges_as_csv(connection: duckdb.DuckDBPyConnection, limit: int) -> bytes:
    """At most `limit` of the matching challenges in their order as CSV, in UTF-8.

    Invisible characters in text of logs are escaped.
    """
    result = connection.execute(statements("analytics/listing/page"), {"limit": limit, "offset": 0})
    return csv_bytes([column[0] for column in result.description or ()], each_row(result))


def neighbours(connection: duckdb.DuckDBPyConnection, challenge_id: str) -> Neighbours | None:
    """The challenges before and after one in the order of the list; None if it does not match."""
    query = statements("analytics/listing/neighbours")
    rows = named_rows(connection.execute(query, {"challenge_id": challenge_id}))
    return Neighbours(**rows[0]) if rows else None
