"""A population of simulated miners: abilities, answers, and the faults that logs show.

A miner's probability of the right class is logistic in its ability less the challenge's difficulty
plus noise. This is no model of real miners: it gives logs whose miners differ in ways that an
analysis should find.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_HOTKEY_LENGTH = 48
_COPIES = 3
_NOISE = 1.0


class MinerKind(StrEnum):
    """What a simulated miner does differently from the others.

    SKILLED, MEDIOCRE: probabilities of high and of middling ability.
    HARD: answers 0 or 1 only.
    SILENT: mostly does not answer (-1).
    COPY: one of three that always answer alike.
    OUT_OF_RANGE: answers 1.7 now and then.
    HALF: answers exactly 0.5 now and then.
    REPLACED: its uid goes to a new hotkey, with another ability, midway.
    PROMOTED: turns validator after a third of the challenges; its score then decays.
    """

    SKILLED = "skilled"
    MEDIOCRE = "mediocre"
    HARD = "hard"
    SILENT = "silent"
    COPY = "copy"
    OUT_OF_RANGE = "out_of_range"
    HALF = "half"
    REPLACED = "replaced"
    PROMOTED = "promoted"


# mean and spread of ability, in logits
_ABILITY = {
    MinerKind.SKILLED: (3.0, 0.7),
    MinerKind.HARD: (2.6, 0.8),
    MinerKind.COPY: (2.4, 0.3),
    MinerKind.PROMOTED: (3.0, 0.2),
}
_MEDIOCRE_ABILITY = (1.7, 0.4)

# the abnormal answer of a kind, and how often it is given
_QUIRKS = {
    MinerKind.SILENT: (-1.0, 0.85),
    MinerKind.OUT_OF_RANGE: (1.7, 0.1),
    MinerKind.HALF: (0.5, 0.25),
}
_ONE_OF_EACH = (
    MinerKind.OUT_OF_RANGE,
    MinerKind.HALF,
    MinerKind.REPLACED,
    MinerKind.PROMOTED,
)
MIN_MINERS = len(_ONE_OF_EACH) + _COPIES + 4


@dataclass(frozen=True)
class SimulatedMiner:
    """One (uid, hotkey) pair, its ability in logits.

    `noise_index` is the index of the miner whose noise it shares: its own, but for copies.
    """

    uid: int
    hotkey: str
    kind: MinerKind
    ability: float
    noise_index: int


class Population:
    """The miners of a simulated subnet, `miners` by index 0..n-1."""

    def __init__(self, uids: Sequence[int], generator: np.random.Generator) -> None:
        """Draw one miner a uid; every kind occurs.

        Raises:
            ValueError: fewer uids than `MIN_MINERS`.
        """
        self._generator = generator
        kinds = _kinds(len(uids))
        first_copy = kinds.index(MinerKind.COPY)
        miners = [
            self._miner(uid, kind, index)
            for index, (uid, kind) in enumerate(zip(uids, kinds, strict=True))
        ]
        copied = miners[first_copy]
        self.miners = [
            replace(miner, ability=copied.ability, noise_index=first_copy)
            if miner.kind is MinerKind.COPY
            else miner
            for miner in miners
        ]

    @property
    def hotkeys(self) -> dict[int, str]:
        """Present hotkeys by uid."""
        return {miner.uid: miner.hotkey for miner in self.miners}

    def first_of_kind(self, kind: MinerKind) -> SimulatedMiner:
        """The first miner of a kind."""
        return next(miner for miner in self.miners if miner.kind is kind)

    def replace_hotkey(self, kind: MinerKind) -> int:
        """Give the uid of the first miner of `kind` to a skilled newcomer; returns the uid."""
        old = self.first_of_kind(kind)
        ability = self._ability(MinerKind.SKILLED)
        hotkey = draw_hotkey(self._generator)
        self.miners[old.noise_index] = replace(old, hotkey=hotkey, ability=ability)
        return old.uid

    def answers(self, label: int, difficulty: float) -> dict[int, float]:
        """Every miner's answer to one challenge, by uid: a probability, or -1 for none.

        Args:
            label: the right class, 0 or 1.
            difficulty: logits, taken off every ability.
        """
        count = len(self.miners)
        noise = self._generator.normal(0.0, _NOISE, count)
        quirk_draws = self._generator.random(count).tolist()
        noise_indices = np.array([miner.noise_index for miner in self.miners])
        abilities = np.array([miner.ability for miner in self.miners])
        margins = abilities - difficulty + noise[noise_indices]
        probabilities = _logistic(margins if label == 1 else -margins).tolist()
        return {
            miner.uid: _answer(miner.kind, probability, quirk_draw)
            for miner, probability, quirk_draw in zip(
                self.miners, probabilities, quirk_draws, strict=True
            )
        }

    def _miner(self, uid: int, kind: MinerKind, index: int) -> SimulatedMiner:
        return SimulatedMiner(uid, draw_hotkey(self._generator), kind, self._ability(kind), index)

    def _ability(self, kind: MinerKind) -> float:
        return float(self._generator.normal(*_ABILITY.get(kind, _MEDIOCRE_ABILITY)))


def draw_hotkey(generator: np.random.Generator) -> str:
    """A hotkey in the shape of a real one: 48 base58 characters, the first a 5."""
    digits = generator.integers(len(_BASE58), size=_HOTKEY_LENGTH - 1)
    return "5" + "".join(_BASE58[digit] for digit in digits)


def _kinds(count: int) -> list[MinerKind]:
    if count < MIN_MINERS:
        raise ValueError(f"{count} miners, expected at least {MIN_MINERS}")
    kinds = [*_ONE_OF_EACH, *[MinerKind.COPY] * _COPIES]
    kinds += [MinerKind.SILENT] * max(1, count // 20)
    kinds += [MinerKind.HARD] * max(1, count // 6)
    kinds += [MinerKind.MEDIOCRE] * max(1, count // 4)
    return kinds + [MinerKind.SKILLED] * (count - len(kinds))


def _answer(kind: MinerKind, probability: float, quirk_draw: float) -> float:
    quirk, frequency = _QUIRKS.get(kind, (0.0, 0.0))
    if quirk_draw < frequency:
        return quirk
    return float(round(probability)) if kind is MinerKind.HARD else probability


def _logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-values))
