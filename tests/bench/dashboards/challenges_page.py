"""Each query of the page Challenges over a million challenges, beside pandas over Parquet.

`python -m tests.bench.dashboards.challenges_page [CHALLENGES]`; see `page_queries` for all pages.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from analytics.listing.challenge_filter import ChallengeFilter, Sorting
from analytics.listing.challenge_list import (
    ChallengeList,
    ListedChallenge,
    Neighbours,
    challenge_page,
    neighbours,
)
from analytics.listing.list_summary import ListSummary, list_summary
from analytics.listing.slices import Slices, slices
from analytics.queries.challenge_answers import (
    AnswerOutcome,
    challenge_answers,
    challenge_record,
    variant_answers,
    view_gates,
)
from analytics.warehouse.connection import reading
from data.store import Store
from data.terminal import note, print_table, say
from tests.bench.dashboards.million_challenges import RUN, fill_warehouse
from tests.bench.peak_memory import peak_mebibytes

CHALLENGES = 1_000_000

Query = tuple[str, Callable[[], object]]


class ChallengesPage:
    """What the page Challenges asks."""

    def __init__(self, store: Store) -> None:
        self._store, self._opened = store, ExitStack()
        self._listed: ChallengeList | None = None

    def close(self) -> None:
        self._opened.close()

    def first_paint(self) -> Iterator[Query]:
        """The page without a filter."""
        yield "list, once for a version of the store", self._make_list
        yield "values to filter by", self._slices
        yield "summary", partial(self._summary, ChallengeFilter())
        yield "first page", partial(self._page, ChallengeFilter(), Sorting.OLDEST, 0)

    def clicks(self) -> Iterator[Query]:
        """Filters, pages and a challenge, each alone."""
        wrong = ChallengeFilter(candidate=AnswerOutcome.WRONG)
        of_miner = ChallengeFilter(miner="17", miner_outcome=AnswerOutcome.WRONG)
        mixed = ChallengeFilter(cities=("city_3", None), levels=(2, 3), wrong_shares=(0.3, 1.0))
        middle = self._page(ChallengeFilter(), Sorting.MOST_WRONG, 500_000)[0].challenge_id
        for name, chosen in (("candidate wrong", wrong), ("a miner", of_miner), ("three", mixed)):
            yield f"summary: {name}", partial(self._summary, chosen)
            yield f"page: {name}", partial(self._page, chosen, Sorting.NEWEST, 20)
        yield (
            "page 25,001 by miners wrong",
            partial(self._page, ChallengeFilter(), Sorting.MOST_WRONG, 500_000),
        )
        yield "neighbours", partial(self._neighbours, middle)
        yield "a challenge", partial(self._open, middle)
        yield "list with difficulties", self._make_list_with_difficulties

    def _make_list(self) -> None:
        self._listed = ChallengeList(self._store, RUN)
        self._opened.callback(self._listed.close)

    def _make_list_with_difficulties(self) -> None:
        with reading(self._store) as connection:
            query = "SELECT challenge_id, position / 1e6 AS difficulty FROM media"
            difficulties = connection.sql(query).to_arrow_table()
        self._opened.callback(ChallengeList(self._store, RUN, difficulties).close)

    @property
    def _list(self) -> ChallengeList:
        assert self._listed is not None
        return self._listed

    def _slices(self) -> Slices:
        with self._list.cursor() as connection:
            return slices(connection)

    def _summary(self, chosen: ChallengeFilter) -> ListSummary:
        with self._list.matching(chosen) as connection:
            return list_summary(connection, with_candidate=True)

    def _page(
        self, chosen: ChallengeFilter, sorting: Sorting, offset: int
    ) -> list[ListedChallenge]:
        with self._list.matching(chosen, sorting) as connection:
            return challenge_page(connection, offset, 20)

    def _neighbours(self, challenge_id: str) -> Neighbours | None:
        with self._list.matching(ChallengeFilter(), Sorting.MOST_WRONG) as connection:
            return neighbours(connection, challenge_id)

    def _open(self, challenge_id: str) -> object:
        with reading(self._store) as connection:
            return (
                challenge_record(connection, challenge_id),
                challenge_answers(connection, challenge_id),
                variant_answers(connection, RUN, challenge_id),
                view_gates(connection, RUN, challenge_id),
            )


def _by_pandas(folder: Path) -> tuple[float, float]:
    """Shares of right answers of candidate and miners on common ground, from Parquet files."""
    columns = ["challenge_id", "label", "time", "file", "position"]
    media = pd.read_parquet(folder / "media.parquet", columns=columns)
    responses = pd.read_parquet(
        folder / "responses.parquet", columns=["challenge_id", "prediction"]
    )
    replayed = pd.read_parquet(
        folder / "replay_predictions.parquet", columns=["challenge_id", "probability"]
    )
    media = media.merge(replayed, on="challenge_id", how="left")
    known = media[media["probability"].notna()]
    answers = responses[responses["prediction"] != -1].merge(known, on="challenge_id")
    right = np.round(answers["prediction"]) == answers["label"]
    media.sort_values(["time", "file", "position", "challenge_id"]).head(20)
    candidate = np.round(known["probability"]) == known["label"]
    return float(candidate.mean()), float(right.mean())


def _write_parquet(store: Store, folder: Path) -> None:
    with reading(store) as connection:
        for name in ("media", "responses", "replay_predictions"):
            reader = connection.sql(f"FROM {name}").to_arrow_reader(100_000)
            with pq.ParquetWriter(folder / f"{name}.parquet", reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)


def _timed(queries: Iterator[Query]) -> list[tuple[str, float, float]]:
    """Each query's seconds on the clock, and of all processors."""
    timings = []
    for name, query in queries:
        start, cpu = time.perf_counter(), time.process_time()
        query()
        timings.append((name, time.perf_counter() - start, time.process_time() - cpu))
    return timings


def main(challenges: int = CHALLENGES) -> None:
    """Print the seconds of each query, of a first paint together, and of pandas."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        store = Store(folder / "store")
        note(f"making a store of {challenges:,} challenges")
        # in a process of its own, whose memory is not that of the queries
        filling = get_context("spawn").Process(target=fill_warehouse, args=(store, challenges))
        filling.start()
        filling.join()
        page = ChallengesPage(store)
        first = _timed(page.first_paint())
        clicks = _timed(page.clicks())
        page.close()
        memory = peak_mebibytes()
        _write_parquet(store, folder)
        start = time.perf_counter()
        _by_pandas(folder)
        pandas = time.perf_counter() - start
    together = sum(seconds for _, seconds, _ in first)
    together_cpu = sum(cpu for _, _, cpu in first)
    print_table(
        f"the page Challenges over {challenges:,} challenges",
        ("query", "seconds", "CPU seconds"),
        [*first, ("first paint together", together, together_cpu), *clicks],
    )
    again = sum(seconds for name, seconds, _ in first if name in ("summary", "first page"))
    say(
        f"peak {memory:,.0f} MiB; the summary and first page by pandas over Parquet: {pandas:.1f} "
        f"s, {pandas / again:.0f} x those of the list, {pandas / together:.1f} x the first paint"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
