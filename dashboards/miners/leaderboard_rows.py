"""Every miner as a row of the leaderboard, from what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.comparison.intervals import Interval
from analytics.miners.answers import Miner
from analytics.standings.leaderboard import Standing, ranks
from analytics.standings.rank_ranges import rank_ranges
from analytics.standings.together import MinersTogether
from dashboards.miners.choice import miner_link, shown_hotkey
from dashboards.miners.suspects_section import habit_names
from data.text import printable


@dataclass(frozen=True)
class LeaderboardFilter:
    """Which miners are shown: with at least `least` answers, whose hotkey or uid holds `text`.

    `present`: only those whose hotkey holds its uid now.
    """

    least: int
    text: str = ""
    present: bool = False

    def holds(self, one: Standing) -> bool:
        """Whether a miner is shown."""
        text = self.text.strip()
        named = text in one.miner.hotkey or text == str(one.miner.uid)
        return one.n >= self.least and named and (one.is_present or not self.present)


def leaderboard_frame(
    standings: Sequence[Standing],
    chosen: LeaderboardFilter,
    intervals: Mapping[Miner, Interval | None],
    together: MinersTogether | None,
) -> pd.DataFrame:
    """A row a miner that the filter holds, best by MCC first.

    Ranks are among all miners with answers enough, so that a search by hotkey changes none.

    Args:
        standings: all miners'.
        chosen: which are shown.
        intervals: of their MCCs, where they are known.
        together: what rests on all miners together; None where it is not known.
    """
    placed = ranks(standings, chosen.least)
    ranges = _ranges(standings, placed, intervals)
    known = _Known(together)
    rows = [
        _row(one, placed, ranges, intervals) | known.of(one.miner)
        for one in standings
        if chosen.holds(one)
    ]
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    frame["Rank"] = frame["Rank"].astype("Int64")
    return frame.sort_values(["Rank", "Uid"], kind="stable", ignore_index=True)


class _Known:
    """What is known of each miner from all of them together."""

    def __init__(self, together: MinersTogether | None) -> None:
        self._abilities = {one.miner: one for one in together.abilities} if together else {}
        groups = together.clones.groups if together else []
        self._groups = {
            miner: number for number, group in enumerate(groups, 1) for miner in group.miners
        }
        tests = together.memorisation.tests if together else []
        self._suspects = {test.miner for test in tests if test.suspect}
        habits = together.habits if together else []
        self._habits = {Miner(one.uid, one.hotkey): habit_names(one) for one in habits}

    def of(self, miner: Miner) -> dict[str, object]:
        ability, group = self._abilities.get(miner), self._groups.get(miner)
        odd = [*self._habits.get(miner, [])]
        if miner in self._suspects:
            odd.insert(0, "remembers images")
        return {
            "Ability": None if ability is None else ability.ability,
            "Error": None if ability is None else ability.error,
            "Clones": "" if group is None else f"group {group}",
            "Odd": ", ".join(odd),
        }


def _ranges(
    standings: Sequence[Standing],
    placed: Mapping[Miner, int],
    intervals: Mapping[Miner, Interval | None],
) -> dict[Miner, tuple[int, int]]:
    """Between which ranks each ranked miner stands; nothing where no interval is known."""
    ranked = [one for one in standings if one.miner in placed and one.mcc is not None]
    if not any(intervals.get(one.miner) for one in ranked):
        return {}
    values = np.array([one.mcc for one in ranked])
    # where nothing is known of one with too few images, it may be anywhere
    ends = np.array([intervals.get(one.miner) or (-1.0, 1.0) for one in ranked])
    ranges = rank_ranges(values, ends[:, 0], ends[:, 1])
    return {
        one.miner: (int(best), int(worst))
        for one, (best, worst) in zip(ranked, ranges, strict=True)
    }


def _row(
    one: Standing,
    placed: Mapping[Miner, int],
    ranges: Mapping[Miner, tuple[int, int]],
    intervals: Mapping[Miner, Interval | None],
) -> dict[str, object]:
    low, high = intervals.get(one.miner) or (None, None)
    between = ranges.get(one.miner)
    return {
        "Page": miner_link(one.miner),
        "Rank": placed.get(one.miner),
        "Uid": one.miner.uid,
        "Hotkey": shown_hotkey(one.miner.hotkey),
        "MCC": one.mcc,
        "95% from": low,
        "95% to": high,
        "95% ranks": "" if between is None else f"{between[0]} to {between[1]}",
        "n": one.n,
        "Left out": one.left_out,
        "Answer rate": one.answer_rate,
        "Mean reward": one.reward,
        "EMA": one.ema,
        "Holds its uid": one.is_present,
        "Whole hotkey": printable(one.miner.hotkey, 80),
    }
