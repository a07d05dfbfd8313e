"""A uid's history against pandas, thinned out, and since when it is behind."""

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.standings.history import (
    HistoryPoint,
    below_median_since,
    history,
    in_one_life,
)
from data.store import Store
from tests.analytics.standings.ordered import change, every_answer, ordered


@pytest.mark.parametrize(("uid", "window"), [(3, 100), (4, 7), (3, 10), (5, 14)])
def test_as_pandas_rolls(store: Store, uid: int, window: int) -> None:
    with ordered(store) as connection:
        found = history(connection, uid, recent=window)
    answers = every_answer(store)
    own = answers[answers.uid == uid].reset_index(drop=True)
    own["spell"] = (own.hotkey != own.hotkey.shift()).cumsum()
    own["right"] = np.round(own.prediction) == own.label
    own["silent"] = (own.prediction == -1).astype(float)
    rolled = own.groupby("spell")[["reward", "silent"]].rolling(window, min_periods=1).mean()
    assert [point.answer_number for point in found] == list(range(1, 61))
    assert [point.spell for point in found] == list(own.spell)
    assert [point.hotkey for point in found] == list(own.hotkey)
    assert [point.challenge_id for point in found] == list(own.challenge_id)
    assert [point.mean_reward for point in found] == pytest.approx(rolled.reward.tolist())
    assert [point.silence for point in found] == pytest.approx(rolled.silent.tolist())
    for number, point in enumerate(found):
        spell = own[: number + 1][own.spell[: number + 1] == own.spell[number]]
        recent, earlier = spell[-window:], spell[-2 * window : -window]
        assert (point.recent_answers, point.recent_right) == (len(recent), recent.right.sum())
        assert (point.earlier_answers, point.earlier_right) == (len(earlier), earlier.right.sum())
    assert [point.mcc for point in found] == pytest.approx(own.mcc.tolist())
    for point, scores in zip(found, own.scores, strict=True):
        above = np.array([score for score in scores if score > 0])
        score = scores[uid]
        assert point.ema == pytest.approx(float(score))
        assert point.rank == (1 + (above > score).sum() if score > 0 else None)
        assert point.ranked == len(above)
        assert point.median_ema == pytest.approx(np.median(above))


def test_few_points_end_with_the_last_answer_of_each_spell(store: Store) -> None:
    with ordered(store) as connection:
        found = history(connection, 3, points=6)
        every = history(connection, 3)
    assert [point.answer_number for point in found] == [10, 20, 25, 30, 40, 50, 60]
    assert found == [point for point in every if point in found]
    assert found[2].spell == 1
    assert found[3].spell == 2


def test_a_uid_that_was_never_asked_has_no_history(store: Store) -> None:
    with ordered(store) as connection:
        assert history(connection, 200) == []


def test_a_score_of_0_has_no_rank(store: Store, tmp_path: Path) -> None:
    copy = Store(tmp_path / "store")
    shutil.copytree(store.root, copy.root)
    change(copy, "UPDATE media SET scores = list_transform(scores, lambda x, i: x * (i <> 4)::INT)")
    with ordered(copy) as connection:
        found = history(connection, 3)
        other = history(connection, 4)
    assert {(one.ema, one.rank) for one in found} == {(0.0, None)}
    assert all(one.median_ema is not None and one.ranked is not None for one in found)
    assert max(one.rank or 0 for one in other) <= max(one.ranked or 0 for one in other)


def point(number: int, ema: float | None, median: float | None) -> HistoryPoint:
    first = HistoryPoint(
        0, 1, "h", 1, 9, 0, None, "c", None, 0.0, 1, 1, 0, 0, None, None, None, None, None
    )
    return replace(first, answer_number=number, ema=ema, median_ema=median)


def of_life(life: int, hotkey: str, ordinal: int, day: int | None = None) -> HistoryPoint:
    time = None if day is None else datetime(2026, 1, day)
    return replace(point(1, 0.1, 0.2), life=life, hotkey=hotkey, ordinal=ordinal, time=time)


def test_the_life_that_asked_the_hotkey_last_is_the_one_of_all() -> None:
    first = [of_life(0, "h1", 5, 1), of_life(0, "h2", 6, 2)]
    second = [of_life(1, "h1", 1, 3)]
    third = [of_life(2, "h3", 9, 9)]
    points = [*first, *second, *third]
    assert in_one_life(points, "h1") == second
    assert in_one_life(points, "h2") == first
    assert in_one_life(points, "h3") == third
    # of no point of its own: where the uid was asked last
    assert in_one_life(points, "h9") == third
    assert in_one_life(points, "h3", 0) == first
    assert in_one_life([], "h1") == []


def test_a_hotkey_is_not_its_beginning_and_a_long_one_is_as_it_was_cut() -> None:
    assert not of_life(0, "5abc", 0).is_of("5abcdef")
    assert not of_life(0, "", 0).is_of("5abcdef")
    assert of_life(0, "5abc", 0).is_of("5abc")
    assert of_life(0, "x" * 100, 0).is_of("x" * 5000)


def test_behind_since_the_last_time_it_was_not() -> None:
    points = [point(1, 0.1, 0.2), point(2, 0.3, 0.2), point(3, 0.1, 0.2), point(4, None, None)]
    behind = [*points, point(5, 0.1, 0.3)]
    assert below_median_since(behind) == points[2]
    assert below_median_since([*behind, point(6, 0.3, 0.3)]) is None
    assert below_median_since(points[:1]) == points[0]
    assert below_median_since([]) is None
