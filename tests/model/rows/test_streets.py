from itertools import combinations

import numpy as np
from geopy.distance import great_circle
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.leaks.training_overlap import OverlapSettings
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow
from tests.model.datasets.drawn_rows import a_row, worlds


def linked(first: TrainingRow, second: TrainingRow, metres: float) -> bool:
    if first.vid_id is not None and first.vid_id == second.vid_id:
        return True
    if first.gps is None or second.gps is None:
        return False
    return bool(great_circle(first.gps, second.gps).meters <= metres)


@settings(deadline=None, max_examples=25)
@given(worlds(), st.sampled_from([10.0, 60.0, 110.0, 410.0]))
def test_streets_are_what_chains_of_videos_and_places_connect(
    rows: list[TrainingRow], metres: float
) -> None:
    count = len(rows)
    reached = np.eye(count, dtype=bool)
    for a, b in combinations(range(count), 2):
        reached[a, b] = reached[b, a] = linked(rows[a], rows[b], metres)
    while not np.array_equal(further := reached @ reached, reached):
        reached = further
    streets = streets_of_rows(rows, OverlapSettings(metres))
    assert np.array_equal(streets[:, None] == streets, reached)


@settings(deadline=None, max_examples=25)
@given(worlds(), st.integers(0, 9))
def test_streets_are_numbered_alike_in_any_order_of_rows(
    rows: list[TrainingRow], seed: int
) -> None:
    streets = streets_of_rows(rows)
    order = np.random.default_rng(seed).permutation(len(rows))
    assert np.array_equal(streets_of_rows([rows[k] for k in order]), streets[order])
    firsts = [int(np.flatnonzero(streets == k)[0]) for k in range(streets.max() + 1)]
    assert firsts == sorted(firsts)


def test_one_row_listed_twice_is_one_street() -> None:
    rows = [a_row(0), a_row(1), a_row(0)]
    assert streets_of_rows(rows).tolist() == [0, 1, 0]
    assert streets_of_rows([]).tolist() == []


def test_many_frames_of_one_spot_make_one_street() -> None:
    here = [a_row(k, gps=(42.36, -71.05)) for k in range(20_000)]
    assert streets_of_rows(here).tolist() == [0] * 20_000
