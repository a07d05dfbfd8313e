"""Lists of challenges against plain Python over the rows of the warehouse."""

import csv
import io
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.listing.challenge_filter import ChallengeFilter, Sorting
from analytics.listing.challenge_list import (
    ChallengeList,
    ListedChallenge,
    challenge_page,
    challenges_as_csv,
    neighbours,
)
from analytics.listing.slices import slices
from analytics.miners.kept_estimates import DIFFICULTIES
from analytics.queries.challenge_answers import AnswerOutcome
from analytics.warehouse.connection import reading, writing
from analytics.warehouse.statements import named_rows
from data.errors import QueryError
from data.store import Store
from tests.analytics.listing.listed_world import RUN, fill_listed_world
from tests.analytics.listing.python_listing import Row, World, candidate_outcome, outcome


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    store = Store(tmp_path_factory.mktemp("listed"))
    fill_listed_world(store)
    with reading(store) as connection:
        media, responses, replayed = (
            named_rows(connection.execute(f"FROM {name}"))
            for name in ("media", "responses", f"replay_predictions WHERE run_id = '{RUN}'")
        )
    answers: dict[str, list[Row]] = {}
    for answer in responses:
        answers.setdefault(answer["challenge_id"], []).append(answer)
    # ties, and challenges without one
    difficulties = {
        row["challenge_id"]: round(math.sin(row["position"]), 1)
        for row in media
        if row["position"] % 4
    }
    table = pa.table([list(difficulties), list(difficulties.values())], names=DIFFICULTIES.names)
    listed = ChallengeList(store, RUN, table)
    by_id = {row["challenge_id"]: row for row in replayed}
    yield World(listed, media, answers, by_id, difficulties)
    listed.close()


def found(world: World, chosen: ChallengeFilter, sorting: Sorting) -> list[ListedChallenge]:
    with world.listed.matching(chosen, sorting) as connection:
        return challenge_page(connection, 0, 1000)


CITIES = ("Boston", "none", "boston", None)
SINGLE: dict[str, list[Any]] = {
    "candidate": list(AnswerOutcome),
    "sources": [("real",), ("synthetic", None), (None,)],
    "cities": [(city,) for city in CITIES] + [("Boston", None)],
    "eras": [("E5",), ("E7", "E9")],
    "levels": [(None,), (-1, 3), (2,), (0, None)],
    "label": [0, 1],
    "wrong_shares": [(0.0, 0.0), (0.5, 1.0), (0.2, 0.6), (1.0, 1.0)],
    "difficulties": [(-1.0, 0.0), (0.5, 0.5), (0.3, 2.0)],
    "fidelities": [("exact",), ("distribution", "impossible")],
    "miner": ["3", "0:5a", "5:5b", "77"],
    "id_prefix": ["a", "0", "zz"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in SINGLE.items() for value in values]
)
def test_each_condition_chooses_what_python_chooses(world: World, name: str, value: Any) -> None:
    chosen = replace(ChallengeFilter(), **{name: value})
    expected = world.expected(chosen, Sorting.OLDEST)
    assert [one.challenge_id for one in found(world, chosen, Sorting.OLDEST)] == expected
    assert len(expected) < len(world.media)


@pytest.mark.parametrize(
    ("name", "values"), [(name, values) for name, values in SINGLE.items() if name != "id_prefix"]
)
def test_the_world_has_challenges_for_each_condition(
    world: World, name: str, values: list[Any]
) -> None:
    matching = [
        len(world.expected(replace(ChallengeFilter(), **{name: v}), Sorting.OLDEST)) for v in values
    ]
    assert max(matching) > 0


@st.composite
def filters(draw: Callable[..., Any]) -> ChallengeFilter:
    """A few conditions at once: of many together nothing would be left."""
    names = draw(st.lists(st.sampled_from(list(SINGLE)), unique=True, max_size=3))
    chosen = {name: draw(st.sampled_from(SINGLE[name])) for name in names}
    if "miner" in chosen:
        chosen["miner_outcome"] = draw(st.sampled_from([None, *list(AnswerOutcome)[:4]]))
    return replace(ChallengeFilter(), **chosen)


@pytest.mark.parametrize("sorting", Sorting)
def test_all_challenges_are_sorted_as_python_sorts_them(world: World, sorting: Sorting) -> None:
    listed = [one.challenge_id for one in found(world, ChallengeFilter(), sorting)]
    assert listed == world.expected(ChallengeFilter(), sorting)


@given(filters(), st.sampled_from(list(Sorting)), st.integers(1, 40))
def test_pages_hold_each_match_once_in_one_order(
    world: World, chosen: ChallengeFilter, sorting: Sorting, size: int
) -> None:
    """Whatever is chosen: no challenge twice or lost over the pages."""
    expected = world.expected(chosen, sorting)
    with world.listed.matching(chosen, sorting) as connection:
        pages = [
            challenge_page(connection, offset, size)
            for offset in range(0, len(expected) + size, size)
        ]
        listed = [one.challenge_id for page in pages for one in page]
        assert listed == expected
        for position in range(0, len(expected), 1 + len(expected) // 3):
            beside = neighbours(connection, expected[position])
            assert beside is not None
            assert beside.position == position
            assert beside.previous == (expected[position - 1] if position else None)
            assert beside.next == next(iter(expected[position + 1 :]), None)
        others = {row["challenge_id"] for row in world.media} - set(expected)
        for other in list(others)[:1]:
            assert neighbours(connection, other) is None


def test_each_row_says_what_the_warehouse_says(world: World) -> None:
    rows = {row["challenge_id"]: row for row in world.media}
    for one in found(world, ChallengeFilter(), Sorting.OLDEST):
        row, replayed = rows[one.challenge_id], world.replayed.get(one.challenge_id)
        answers = world.answers.get(one.challenge_id, [])
        outcomes = [outcome(answer["prediction"], row["label"]) for answer in answers]
        assert (one.time, one.era, one.label) == (row["time"], row["era"], row["label"])
        assert (one.source, one.city, one.level) == (row["source"], row["city"], row["aug_level"])
        assert one.asked == len(answers)
        assert one.answered == outcomes.count("right") + outcomes.count("wrong")
        assert one.correct == outcomes.count("right")
        assert one.candidate == candidate_outcome(replayed, row["label"])
        assert one.fidelity == (replayed and replayed["fidelity"])
        assert one.difficulty == world.difficulties.get(one.challenge_id)


def test_without_a_replay_no_challenge_has_a_candidate(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill_listed_world(store)
    listed = ChallengeList(store, None)
    with listed.matching(ChallengeFilter()) as connection:
        candidates = {one.candidate for one in challenge_page(connection, 0, 1000)}
    with listed.cursor() as connection:
        assert slices(connection).fidelities == ()
    listed.close()
    assert candidates == {AnswerOutcome.NOT_ASKED}


def test_values_to_filter_by_are_those_of_the_challenges(world: World) -> None:
    with world.listed.cursor() as connection:
        values = slices(connection)
    assert set(values.cities) == set(CITIES)
    assert set(values.levels) == {None, -1, 0, 1, 2, 3}
    assert set(values.sources) == {None, "real", "synthetic"}
    assert set(values.eras) == {"E5", "E7", "E9"}
    assert set(values.fidelities) == {"exact", "distribution", "impossible"}


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (ChallengeFilter(miner="five"), r"miner: found 'five'; expected UID or UID:HOTKEY"),
        (ChallengeFilter(miner="9" * 30), r"miner: found '9+'; expected UID or UID:HOTKEY"),
        (ChallengeFilter(eras=("E99",)), r"era: found E99; expected one of"),
    ],
)
def test_a_condition_that_cannot_be_read_is_told(
    world: World, chosen: ChallengeFilter, message: str
) -> None:
    with pytest.raises(QueryError, match=message), world.listed.matching(chosen):
        pass


def test_text_is_bound_and_matches_itself_alone(world: World) -> None:
    for text in ("' OR 1 = 1 --", "%", "_", '"'):
        assert not found(world, ChallengeFilter(cities=(text,)), Sorting.OLDEST)
        assert not found(world, ChallengeFilter(id_prefix=text), Sorting.OLDEST)
        assert not found(world, ChallengeFilter(miner=f"1:{text}"), Sorting.OLDEST)


def test_a_file_holds_the_matching_challenges_in_their_order(world: World) -> None:
    chosen, sorting = ChallengeFilter(eras=("E7",)), Sorting.MOST_WRONG
    with world.listed.matching(chosen, sorting) as connection:
        rows = list(csv.DictReader(io.StringIO(challenges_as_csv(connection, 1000).decode())))
        first = list(csv.DictReader(io.StringIO(challenges_as_csv(connection, 3).decode())))
    assert [row["challenge_id"] for row in rows] == world.expected(chosen, sorting)
    assert first == rows[:3]
    shown = found(world, chosen, sorting)
    assert [row["correct"] for row in rows] == [str(one.correct) for one in shown]
    assert [row["candidate"] for row in rows] == [str(one.candidate) for one in shown]


def test_several_threads_read_one_list_at_once(world: World) -> None:
    chosen = [replace(ChallengeFilter(), label=number % 2) for number in range(24)]

    def ids(one: ChallengeFilter) -> list[str]:
        return [shown.challenge_id for shown in found(world, one, Sorting.MOST_WRONG)]

    with ThreadPoolExecutor(8) as pool:
        listed = list(pool.map(ids, chosen))
    assert listed == [world.expected(one, Sorting.MOST_WRONG) for one in chosen]


def test_a_list_keeps_what_was_published_when_it_was_made(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill_listed_world(store)
    listed = ChallengeList(store, RUN)
    with writing(store) as writer:
        writer.connection.execute("DELETE FROM media; DELETE FROM responses")
    with listed.matching(ChallengeFilter(miner="3")) as connection:
        assert challenge_page(connection, 0, 1)
    listed.close()
