"""How one uid fared over time: reward, MCC, score (EMA), silence, and who held it."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from analytics.warehouse.statements import named_rows, statements

RECENT = 100
"""Answers that means are over, as many as those of the validator's MCC."""

_SHOWN_HOTKEY = 100  # as history.sql cuts it


@dataclass(frozen=True)
class HistoryPoint:
    """A uid after one of its answers.

    `life` is the validator's number; `spell` numbers the periods in which one `hotkey` (cut after
    100 characters) held the uid, from 1 on. `answer_number` is 1-based among the `asked` of the
    life, `ordinal` the challenge's place among all. `mean_reward` and `silence` (0..1) are over the
    last `recent_answers` (100, or fewer where a spell is young), of which `recent_right` are right;
    of the `earlier_answers` before these, at most 100 too, `earlier_right` are. What is silent is
    not right. `mcc` is the validator's over the last 100, floored at 0; `ema` its score.
    `median_ema`, `rank` and `ranked` are of the uids with a score above 0 at that moment; `rank` is
    None for another. Else None is what no record holds; `time` is UTC.
    """

    life: int
    spell: int
    hotkey: str
    answer_number: int
    asked: int
    ordinal: int
    time: datetime | None
    challenge_id: str
    mean_reward: float | None
    silence: float
    recent_answers: int
    recent_right: int
    earlier_answers: int
    earlier_right: int
    mcc: float | None
    ema: float | None
    median_ema: float | None
    rank: int | None
    ranked: int | None

    def is_of(self, hotkey: str) -> bool:
        """Whether this hotkey, as a log names it, held the uid."""
        return self.hotkey == hotkey[:_SHOWN_HOTKEY]


def history(
    connection: duckdb.DuckDBPyConnection, uid: int, points: int = 250, recent: int = RECENT
) -> list[HistoryPoint]:
    """The history of a uid in order of lives: evenly spaced answers, at most about `points` a life.

    Args:
        connection: for which `lives.kept_order.restore_order` was called, at least of this uid.
        uid: the miner's.
        points: how many of each life's answers; the last one of each spell comes on top.
        recent: how many answers a mean is over.
    """
    query = statements("analytics/standings/history")
    parameters = {"uid": uid, "points": points, "recent": recent}
    rows = named_rows(connection.execute(query, parameters))
    return [HistoryPoint(**row) for row in rows]


def in_one_life(
    points: list[HistoryPoint], hotkey: str, life: int | None = None
) -> list[HistoryPoint]:
    """The history in one life, in order, by whichever hotkeys.

    Args:
        points: of one uid.
        hotkey: whose history is asked for.
        life: which; None: the one that asked this hotkey last, or else the uid.
    """
    if life is None and points:
        own = [point for point in points if point.is_of(hotkey)]
        last = max(own or points, key=lambda rated: (rated.time or datetime.min, rated.ordinal))
        life = last.life
    return [point for point in points if point.life == life]


def below_median_since(points: list[HistoryPoint]) -> HistoryPoint | None:
    """The first point since which the score was below the median; None where the last is not.

    Args:
        points: of one life, in order.
    """
    since = None
    for point in reversed(points):
        if point.ema is None or point.median_ema is None:
            continue
        if point.ema >= point.median_ema:
            break
        since = point
    return since
