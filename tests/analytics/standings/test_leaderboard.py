"""The leaderboard against pandas and scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from analytics.miners.answers import Miner
from analytics.standings.leaderboard import Standing, leaderboard, ranks
from analytics.standings.mcc_intervals import mcc_intervals
from data.store import Store
from tests.analytics.standings.ordered import every_answer, ordered


def test_every_miner_by_its_own_answers(store: Store) -> None:
    with ordered(store) as connection:
        found = leaderboard(connection)
        intervals = mcc_intervals(connection)
    answers = every_answer(store)
    groups = answers.groupby(["uid", "hotkey"])
    assert [(one.miner.uid, one.miner.hotkey) for one in found] == list(groups.groups)
    assert len(found) == 11
    for one, (_, group) in zip(found, groups, strict=True):
        finite = group[group.prediction.notna() & (group.prediction != -1)]
        assert (one.asked, one.n) == (len(group), len(finite))
        assert one.silent == (group.prediction == -1).sum()
        assert one.left_out == one.asked - one.n
        assert one.answer_rate == 1 - one.silent / one.asked
        assert one.reward == pytest.approx(group.reward.mean())
        # scores hold every uid's after each challenge: nobody's changes until it is asked again
        assert one.ema == pytest.approx(float(group.scores.iloc[-1][one.miner.uid]))
        mcc = matthews_corrcoef(finite.label, np.round(finite.prediction).astype(int))
        assert one.mcc == pytest.approx(mcc)
        interval = intervals[one.miner].interval
        assert interval is None or interval[0] <= mcc <= interval[1]
        assert intervals[one.miner].images == len(finite.groupby(["parquet", "row"], dropna=False))
    assert [one.miner.uid for one in found if not one.is_present] == [3]


def test_one_life_alone_and_one_that_is_not_there(store: Store) -> None:
    with ordered(store) as connection:
        assert leaderboard(connection, 0) == leaderboard(connection)
        assert leaderboard(connection, 7) == []


def standing(uid: int, n: int, mcc: float | None) -> Standing:
    return Standing(Miner(uid, "h"), n, 0, 0, mcc, None, None, is_present=True, last_time=None)


def test_ranks_share_places_and_leave_few_answers_out() -> None:
    few = standing(4, 2, 0.99)
    board = [
        standing(0, 9, 0.5),
        standing(1, 9, 0.9),
        standing(2, 9, 0.5),
        standing(3, 9, 0.1),
        few,
    ]
    found = ranks([*board, standing(5, 0, None)], least=3)
    assert {miner.uid: rank for miner, rank in found.items()} == {1: 1, 0: 2, 2: 2, 3: 4}
    assert ranks([few])[few.miner] == 1
    assert ranks([]) == {}
    assert not math.isnan(board[0].answer_rate)
