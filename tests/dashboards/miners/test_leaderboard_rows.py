"""Rows of the leaderboard: which are shown, in which order, with which ranks."""

import pytest

from analytics.comparison.intervals import Interval
from analytics.miners.answers import Miner
from analytics.standings.leaderboard import Standing
from dashboards.miners.ability_chart import ability_chart
from dashboards.miners.leaderboard_rows import LeaderboardFilter, leaderboard_frame


def standing(uid: int, mcc: float | None, asked: int = 50, *, is_present: bool = True) -> Standing:
    miner = Miner(uid, f"hotkey-of-{uid}-abcdef")
    silent = asked if mcc is None else 5
    return Standing(miner, asked, silent, 0, mcc, 0.5, 0.6, is_present, last_time=None)


BOARD = [
    standing(0, 0.2),
    standing(1, 0.9),
    standing(2, 0.5, is_present=False),
    standing(3, 0.99, asked=8),
    standing(4, None),
]
ENDS: dict[Miner, Interval | None] = {
    BOARD[0].miner: (0.1, 0.3),
    BOARD[1].miner: (0.85, 0.93),
    BOARD[2].miner: (0.4, 0.6),
}


def test_best_first_and_unranked_last() -> None:
    frame = leaderboard_frame(BOARD, LeaderboardFilter(1), ENDS, None)
    assert list(frame["Uid"]) == [3, 1, 2, 0]
    assert list(leaderboard_frame(BOARD, LeaderboardFilter(0), ENDS, None)["Uid"])[-1] == 4
    frame = leaderboard_frame(BOARD, LeaderboardFilter(20), ENDS, None)
    assert list(frame["Rank"]) == [1, 2, 3]
    assert list(frame["95% ranks"]) == ["1 to 1", "2 to 2", "3 to 3"]
    assert list(frame["Left out"]) == [5, 5, 5]
    assert list(frame["Answer rate"]) == [0.9] * 3


@pytest.mark.parametrize(
    ("chosen", "uids"),
    [
        (LeaderboardFilter(20, "of-2"), [2]),
        (LeaderboardFilter(20, " 1 "), [1]),
        (LeaderboardFilter(20, "nobody"), []),
        (LeaderboardFilter(20, present=True), [1, 0]),
    ],
)
def test_filters_hide_rows_and_change_no_rank(chosen: LeaderboardFilter, uids: list[int]) -> None:
    frame = leaderboard_frame(BOARD, chosen, ENDS, None)
    if not uids:
        assert frame.empty
        return
    assert list(frame["Uid"]) == uids
    assert [{1: 1, 2: 2, 0: 3}[uid] for uid in uids] == list(frame["Rank"])


def test_without_an_interval_one_may_stand_anywhere() -> None:
    few = dict.fromkeys((BOARD[0].miner, BOARD[2].miner)) | {BOARD[1].miner: (0.85, 0.93)}
    frame = leaderboard_frame(BOARD, LeaderboardFilter(20), few, None)
    assert list(frame["95% ranks"])[1:] == ["1 to 3", "1 to 3"]
    assert set(leaderboard_frame(BOARD, LeaderboardFilter(20), {}, None)["95% ranks"]) == {""}


def test_the_chart_holds_every_miner_by_mcc_where_no_ability_is_known() -> None:
    frame = leaderboard_frame(BOARD, LeaderboardFilter(1), ENDS, None)
    chart = ability_chart(frame, "MCC").to_dict()
    [rows] = list(chart["datasets"].values())
    assert {row["uid"] for row in rows} == {0, 1, 2, 3}
    assert {row["uid"]: row["kind"] for row in rows}[2] == "replaced"
    assert next(row for row in rows if row["uid"] == 1)["low"] == 0.85
