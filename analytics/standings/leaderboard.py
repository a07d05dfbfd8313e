"""How every miner stands: answers, MCC, reward, score and silence of each (uid, hotkey) pair."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import duckdb
import numpy as np

from analytics.miners.answers import Miner
from analytics.scoring.metrics import mcc_of_tables
from analytics.warehouse.statements import named_rows, statements

_SUMS = (
    "asked",
    "silent",
    "not_finite",
    "rewarded",
    "reward",
    "right_0",
    "wrong_0",
    "other_0",
    "wrong_1",
    "right_1",
    "other_1",
)


@dataclass(frozen=True)
class Standing:
    """One miner's answers in all chosen lives.

    Of `asked` answers `silent` (-1) and `not_finite` are left out of the MCC; `n` are its others,
    `mcc` is signed, -1..1, None for no answer. `reward` is the mean one as logged, 0..1, None where
    none is. `ema` is the validator's score of the uid after the miner's last challenge; of several
    lives the mean, weighted by what they asked. `is_present`: the uid's last answer in some life is
    this hotkey's. `last_time` is UTC, None where not known.
    """

    miner: Miner
    asked: int
    silent: int
    not_finite: int
    mcc: float | None
    reward: float | None
    ema: float | None
    is_present: bool
    last_time: datetime | None

    @property
    def n(self) -> int:
        """Answers that the MCC rests on."""
        return self.asked - self.silent - self.not_finite

    @property
    def left_out(self) -> int:
        """Answers that the MCC leaves out."""
        return self.silent + self.not_finite

    @property
    def answer_rate(self) -> float:
        """The share of what it was asked that it answered, 0..1."""
        return 1 - self.silent / self.asked


def leaderboard(connection: duckdb.DuckDBPyConnection, life: int | None = None) -> list[Standing]:
    """Every miner that was asked something, by uid and hotkey.

    Args:
        connection: for which `lives.kept_order.restore_order` was called.
        life: the number of one validator's life; None: all.
    """
    query = statements("analytics/standings/leaderboard")
    rows = named_rows(connection.execute(query, {"life": life}))
    return [
        _standing(Miner(uid, hotkey), list(lives))
        for (uid, hotkey), lives in groupby(rows, lambda row: (row["uid"], row["hotkey"]))
    ]


def ranks(standings: Sequence[Standing], least: int = 1) -> dict[Miner, int]:
    """The rank by MCC, 1 = best, of each miner with at least `least` answers; equal ones share it.

    Args:
        standings: of all miners.
        least: fewest answers of a miner that is ranked.
    """
    ranked = {
        standing.miner: standing.mcc
        for standing in standings
        if standing.n >= least and standing.mcc is not None
    }
    values = sorted(ranked.values(), reverse=True)
    first = {value: rank for rank, value in reversed(list(enumerate(values, 1)))}
    return {miner: first[value] for miner, value in ranked.items()}


def _standing(miner: Miner, lives: list[dict[str, Any]]) -> Standing:
    total = {name: sum(life[name] or 0 for life in lives) for name in _SUMS}
    table = _table(total)
    times = [life["last_time"] for life in lives if life["last_time"] is not None]
    return Standing(
        miner=miner,
        asked=total["asked"],
        silent=total["silent"],
        not_finite=total["not_finite"],
        mcc=float(mcc_of_tables(table)) if table.sum() else None,
        reward=_mean(total["reward"], total["rewarded"]),
        ema=_ema(lives),
        is_present=any(life["is_present"] for life in lives),
        last_time=max(times, default=None),
    )


def _table(counts: dict[str, Any]) -> Any:
    """Answers by label and class (0, 1, any other), (2, 3)."""
    names = (("right_0", "wrong_0", "other_0"), ("wrong_1", "right_1", "other_1"))
    return np.array([[counts[name] for name in row] for row in names], dtype=np.float64)


def _mean(total: float, count: int) -> float | None:
    # a sum's last bits hang on the order in which threads add
    return round(total / count, 12) if count else None


def _ema(lives: list[dict[str, Any]]) -> float | None:
    known = [(life["ema"], life["asked"]) for life in lives if life["ema"] is not None]
    weight = math.fsum(asked for _, asked in known)
    return math.fsum(ema * asked for ema, asked in known) / weight if known else None
