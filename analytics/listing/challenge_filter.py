"""Which challenges a list shows, and in which order."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analytics.queries.challenge_answers import AnswerOutcome
from analytics.queries.challenges import parse_miner
from data.errors import QueryError
from data.records.eras import EXPONENTS

Range = tuple[float, float]
"""Both ends belong to it."""


class Sorting(StrEnum):
    """How challenges are sorted; those without the value come last, equal ones by time."""

    OLDEST = "oldest"
    NEWEST = "newest"
    MOST_WRONG = "most wrong"
    LEAST_WRONG = "least wrong"
    HARDEST = "hardest"
    EASIEST = "easiest"


BY_DIFFICULTY = (Sorting.HARDEST, Sorting.EASIEST)


@dataclass(frozen=True)
class ChallengeFilter:
    """Conditions that challenges must meet, all of them; None or empty leaves one out.

    `candidate` is the outcome of the replay's answer. `miner` is a uid or `uid:hotkey`: challenges
    that it was asked, and of these with a `miner_outcome` only those. None among `sources`,
    `cities` or `levels` is a challenge that has none. `wrong_shares` bounds the share of miners'
    answers that are wrong, 0..1, `difficulties` the difficulty in logits; a challenge without one
    is then left out. `id_prefix` is how ids begin.
    """

    candidate: AnswerOutcome | None = None
    miner: str | None = None
    miner_outcome: AnswerOutcome | None = None
    sources: tuple[str | None, ...] = ()
    cities: tuple[str | None, ...] = ()
    eras: tuple[str, ...] = ()
    levels: tuple[int | None, ...] = ()
    label: int | None = None
    wrong_shares: Range | None = None
    difficulties: Range | None = None
    fidelities: tuple[str, ...] = ()
    id_prefix: str = ""

    @property
    def chooses_by_outcome(self) -> bool:
        """Whether shares of right answers follow from the choice."""
        by_answers = (self.candidate, self.miner_outcome, self.wrong_shares, self.difficulties)
        return any(condition is not None for condition in by_answers)

    def parameters(self) -> dict[str, Any]:
        """Values to bind in `listing/matching.sql`.

        Raises:
            QueryError: a condition cannot be read.
        """
        uid, hotkey = (None, None) if self.miner is None else parse_miner(self.miner, "miner")
        if unknown := set(self.eras) - EXPONENTS.keys():
            raise QueryError("era", found=min(unknown), expected=f"one of {', '.join(EXPONENTS)}")
        least_wrong, most_wrong = self.wrong_shares or (None, None)
        least_difficulty, most_difficulty = self.difficulties or (None, None)
        return {
            "candidate": self.candidate,
            "uid": uid,
            "hotkey": hotkey,
            "miner_outcome": self.miner_outcome,
            "sources": list(self.sources) or None,
            "cities": list(self.cities) or None,
            "eras": list(self.eras) or None,
            "levels": list(self.levels) or None,
            "label": self.label,
            "least_wrong": least_wrong,
            "most_wrong": most_wrong,
            "least_difficulty": least_difficulty,
            "most_difficulty": most_difficulty,
            "fidelities": list(self.fidelities) or None,
            "id_prefix": self.id_prefix,
        }
