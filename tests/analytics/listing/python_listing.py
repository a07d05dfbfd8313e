"""The list of challenges in plain Python over the rows of the warehouse."""

import math
from dataclasses import dataclass
from typing import Any

from analytics.listing.challenge_filter import ChallengeFilter, Sorting
from analytics.listing.challenge_list import (
    ChallengeList,
)

Row = dict[str, Any]


def outcome(prediction: float | None, label: int) -> str:
    if prediction == -1:
        return "no answer"
    if prediction is None or not math.isfinite(prediction):
        return "not finite"
    return "right" if round(prediction) == label else "wrong"


def candidate_outcome(row: Row | None, label: int) -> str:
    if row is None:
        return "not asked"
    return "no answer" if row["probability"] is None else outcome(row["probability"], label)


@dataclass(frozen=True, repr=False)
class World:
    """A list, and the rows that it is of."""

    listed: ChallengeList
    media: list[Row]
    answers: dict[str, list[Row]]
    replayed: dict[str, Row]
    difficulties: dict[str, float]

    def wrong_share(self, row: Row) -> float | None:
        outcomes = [
            outcome(answer["prediction"], row["label"])
            for answer in self.answers.get(row["challenge_id"], [])
        ]
        known = [one for one in outcomes if one in ("right", "wrong")]
        return known.count("wrong") / len(known) if known else None

    def meets(self, chosen: ChallengeFilter, row: Row) -> bool:
        """The conditions one by one, as their documentation says."""
        key, label = row["challenge_id"], row["label"]
        replayed, wrong = self.replayed.get(key), self.wrong_share(row)
        difficulty = self.difficulties.get(key)
        conditions = [
            chosen.candidate in (None, candidate_outcome(replayed, label)),
            not chosen.sources or row["source"] in chosen.sources,
            not chosen.cities or row["city"] in chosen.cities,
            not chosen.eras or row["era"] in chosen.eras,
            not chosen.levels or row["aug_level"] in chosen.levels,
            chosen.label in (None, label),
            not chosen.fidelities or bool(replayed and replayed["fidelity"] in chosen.fidelities),
            key.startswith(chosen.id_prefix),
        ]
        for bounds, value in ((chosen.wrong_shares, wrong), (chosen.difficulties, difficulty)):
            if bounds is not None:
                conditions.append(value is not None and bounds[0] <= value <= bounds[1])
        if chosen.miner is not None:
            uid, _, hotkey = chosen.miner.partition(":")
            outcomes = [
                outcome(answer["prediction"], label)
                for answer in self.answers.get(key, [])
                if answer["uid"] == int(uid) and hotkey in ("", answer["hotkey"])
            ]
            conditions.append(bool(outcomes) and chosen.miner_outcome in (None, *outcomes))
        return all(conditions)

    def sort_key(self, sorting: Sorting, row: Row) -> tuple[Any, ...]:
        tie = (row["time"] is None, row["time"] or 0, row["file"], row["position"])
        place = (*tie, row["challenge_id"])
        value: float | None
        if sorting in (Sorting.OLDEST, Sorting.NEWEST):
            return place
        if sorting in (Sorting.MOST_WRONG, Sorting.LEAST_WRONG):
            value = self.wrong_share(row)
        else:
            value = self.difficulties.get(row["challenge_id"])
        sign = -1 if sorting in (Sorting.MOST_WRONG, Sorting.HARDEST) else 1
        return (value is None, sign * (value or 0.0), *place)

    def expected(self, chosen: ChallengeFilter, sorting: Sorting) -> list[str]:
        rows = [row for row in self.media if self.meets(chosen, row)]
        rows.sort(key=lambda row: self.sort_key(sorting, row))
        if sorting is Sorting.NEWEST:
            timed = [row for row in rows if row["time"] is not None]
            rows = timed[::-1] + [row for row in rows if row["time"] is None]
        return [row["challenge_id"] for row in rows]
