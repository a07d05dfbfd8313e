"""A uid's history against pandas, thinned out, and since when it is behind."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.standings.history import HistoryPoint, below_median_since, history
from data.store import Store
from tests.analytics.standings.ordered import every_answer, ordered


@pytest.mark.parametrize(("uid", "window"), [(3, 100), (4, 7), (3, 10)])
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
        assert point.rank == 1 + (above > score).sum()
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


def point(number: int, ema: float | None, median: float | None) -> HistoryPoint:
    first = HistoryPoint(
        0, 1, "h", 1, 9, 0, None, "c", None, 0.0, 1, 1, 0, 0, None, None, None, None, None
    )
    return replace(first, answer_number=number, ema=ema, median_ema=median)


def test_behind_since_the_last_time_it_was_not() -> None:
    points = [point(1, 0.1, 0.2), point(2, 0.3, 0.2), point(3, 0.1, 0.2), point(4, None, None)]
    behind = [*points, point(5, 0.1, 0.3)]
    assert below_median_since(behind) == points[2]
    assert below_median_since([*behind, point(6, 0.3, 0.3)]) is None
    assert below_median_since(points[:1]) == points[0]
    assert below_median_since([]) is None
