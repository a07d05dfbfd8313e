"""A validator simulated by the rules of DOMAIN.md §1-3: logs with known truth, for demos and tests.

Records have the form of a real log (`data` reads them like any other); metrics, rewards and scores
come from scoring's own `Tracker` and `EmaScores`. All randomness comes from one seeded generator.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.scoring.metrics import UNANSWERED, Floats
from analytics.scoring.predicted_class import predicted_class
from analytics.scoring.tracker import METRICS, EmaScores, ScoredAnswers, Tracker
from analytics.simulation.augmentation import augmentation
from analytics.simulation.miners import MIN_MINERS, MinerKind, Population
from analytics.simulation.sources import (
    ChallengeImage,
    SimulatedSource,
    real_image,
    synthetic_image,
)
from data.records.eras import ERA_BY_NAME, ERAS, Era
from data.records.types import Geometry

# E10 is not simulated: its images are not augmented.
SIMULATED_ERAS = tuple(era.name for era in ERAS if era.geometry is not Geometry.NONE)
_LEVEL_DIFFICULTY = 0.4
_SOURCE_SPREAD = 0.8
_PROMOTED_AFTER, _REPLACED_AFTER = 1 / 3, 1 / 2

_ByLabel = tuple[list[ChallengeImage], list[ChallengeImage]]
"""Images that can be sent with label 0, and with label 1."""


@dataclass(frozen=True)
class SimulationSettings:
    """What to simulate.

    Of all `uids`, `validators` are never asked and the others mine. `synthetic_share` (0..1, of the
    challenges) needs era E6 or later. `started` is the era's first day unless given; challenges
    follow one another by `interval`. Of the real ones `common_share` (0..1) are of `common_city`;
    None: each source is as likely as any other.

    Raises:
        ValueError: a setting is out of its range.
    """

    seed: int
    challenges: int
    era: str = "E7"
    uids: int = 256
    validators: int = 16
    miners_per_challenge: int = 10
    synthetic_share: float = 0.0
    started: datetime | None = None
    interval: timedelta = timedelta(minutes=1)
    common_city: str | None = None
    common_share: float = 0.0

    def __post_init__(self) -> None:
        if self.era not in SIMULATED_ERAS:
            raise ValueError(f"era is {self.era}, expected one of {', '.join(SIMULATED_ERAS)}")
        largest = 1.0 if ERA_BY_NAME[self.era].logs_source else 0.0
        if not 0.0 <= self.synthetic_share <= largest:
            share = f"synthetic_share is {self.synthetic_share}"
            raise ValueError(f"{share}, expected 0..{largest} in {self.era}")
        if not 0.0 <= self.common_share <= 1.0:
            raise ValueError(f"common_share is {self.common_share}, expected 0..1")
        miners = self.uids - self.validators
        if self.validators < 0 or miners < MIN_MINERS:
            raise ValueError(f"{miners} of {self.uids} uids mine, expected at least {MIN_MINERS}")
        # one miner turns validator
        if not 0 < self.miners_per_challenge < miners:
            raise ValueError(
                f"miners_per_challenge is {self.miners_per_challenge}, expected 1..{miners - 1}"
            )

    def time_of(self, challenge: int) -> datetime:
        """When the challenge with this 0-based number is sent, UTC."""
        started = self.started or ERA_BY_NAME[self.era].start
        return started + challenge * self.interval


def simulate(
    settings: SimulationSettings, sources: Sequence[SimulatedSource]
) -> Iterator[dict[str, Any]]:
    """The Media records of a validator's life, from its first challenge, as JSON would give them.

    Raises:
        ValueError: no source can be sent with label 0, or none with label 1.
    """
    return SimulatedValidator(settings, sources).records()


class SimulatedValidator:
    """A validator with its miners; `population` says who they are."""

    def __init__(self, settings: SimulationSettings, sources: Sequence[SimulatedSource]) -> None:
        """Draw which uids mine, and the difficulty of each source.

        Raises:
            ValueError: no source can be sent with label 0, or none with label 1; or none of those
                is of the common city, or all are.
        """
        self._settings = settings
        self._generator = np.random.default_rng(settings.seed)
        uids = self._generator.permutation(settings.uids).tolist()
        self.validators = set(uids[: settings.validators])
        self.population = Population(uids[settings.validators :], self._generator)
        difficulties = self._generator.normal(0.0, _SOURCE_SPREAD, len(sources)).tolist()
        self._images = _images_by_label(sources, difficulties)
        self._common = _parted_by_city(self._images, settings.common_city)
        self._tracker = Tracker(uids=settings.uids)
        self._scores = EmaScores(np.zeros(settings.uids))
        self._hotkeys: dict[str, int] = {}
        self._era: Era = ERA_BY_NAME[settings.era]
        self._deck: list[int] = []

    def records(self) -> Iterator[dict[str, Any]]:
        """The records of the validator's life; to be read once."""
        for challenge in range(self._settings.challenges):
            self._change_network(challenge)
            yield self._record(challenge)

    def _change_network(self, challenge: int) -> None:
        """Let a miner turn validator, or replace a hotkey, where this challenge's turn is."""
        if challenge == int(self._settings.challenges * _PROMOTED_AFTER):
            self.validators.add(self.population.first_of_kind(MinerKind.PROMOTED).uid)
        if challenge == int(self._settings.challenges * _REPLACED_AFTER):
            self._scores.reset(self.population.replace_hotkey(MinerKind.REPLACED))

    def _record(self, challenge: int) -> dict[str, Any]:
        label = int(self._generator.integers(2))
        image = self._image(challenge, label)
        level, params = augmentation(
            image.size,
            letterbox=self._era.geometry is Geometry.LETTERBOX,
            generator=self._generator,
        )
        answers = self.population.answers(label, image.difficulty + _LEVEL_DIFFICULTY * level)
        return {
            "label": label,
            "modality": "image",
            **self._source_keys(image),
            **copy.deepcopy(image.record),
            "data_aug_params": params,
            "data_aug_level": level,
            **self._responses(answers, label),
        }

    def _image(self, challenge: int, label: int) -> ChallengeImage:
        if self._generator.random() < self._settings.synthetic_share:
            return synthetic_image(label, self._settings.time_of(challenge), self._generator)
        images = self._images[label]
        if self._settings.common_city is not None:
            common, others = self._common[label]
            is_common = self._generator.random() < self._settings.common_share
            images = common if is_common else others
        return images[int(self._generator.integers(len(images)))]

    def _source_keys(self, image: ChallengeImage) -> dict[str, Any]:
        if not self._era.logs_source:
            return {"source_model_task": None}
        return {"source_model_task": image.task, "source": image.source}

    def _responses(self, answers: dict[int, float], label: int) -> dict[str, Any]:
        uids = self._ask()
        hotkeys = [self.population.hotkeys[uid] for uid in uids]
        predictions = [answers[uid] for uid in uids]
        metrics: list[dict[str, float]] = []
        rewards: list[float] = []
        for uid, hotkey, prediction in zip(uids, hotkeys, predictions, strict=True):
            number = self._hotkeys.setdefault(hotkey, len(self._hotkeys))
            scored = self._tracker.answer([uid], [number], prediction, label, self._era.exponent)
            metrics.append(_as_logged(scored, *self._tracker.window(uid)))
            rewards.append(float(scored.reward[0]))
        self._scores.update(uids, rewards, self.validators)
        # from E8 on the validator squeezes its array of uids
        squeezed = self._era.repeats_uids and len(uids) == 1
        return {
            "miner_uids": uids[0] if squeezed else uids,
            "miner_hotkeys": hotkeys,
            **{f"miner_image_{name}": [row[name] for row in metrics] for name in metrics[0]},
            "predictions": predictions,
            "rewards": rewards,
            "scores": self._scores.values.tolist(),
            **self._model_urls(uids),
        }

    def _model_urls(self, uids: list[int]) -> dict[str, Any]:
        if not self._era.checks_models:
            return {}
        return {"model_urls": [f"https://example.invalid/model/{uid}" for uid in uids]}

    def _ask(self) -> list[int]:
        """Draw uids: without return, or (from E8) from a shuffled deck that is refilled when empty.

        A refill within a challenge may bring a uid a second time.
        """
        count = self._settings.miners_per_challenge
        if not self._era.repeats_uids:
            return self._shuffled()[:count]
        asked: list[int] = []
        while len(asked) < count:
            self._deck = self._deck or self._shuffled()
            uid = self._deck.pop()
            if uid not in self.validators:
                asked.append(uid)
        return asked

    def _shuffled(self) -> list[int]:
        miners = [uid for uid in self.population.hotkeys if uid not in self.validators]
        shuffled: list[int] = self._generator.permutation(miners).tolist()
        return shuffled


def _images_by_label(sources: Sequence[SimulatedSource], difficulties: Sequence[float]) -> _ByLabel:
    images: _ByLabel = ([], [])
    for source, difficulty in zip(sources, difficulties, strict=True):
        label = source.sendable_label
        if label is not None:
            images[label].append(real_image(source, difficulty))
    for label, images_of_label in enumerate(images):
        if not images_of_label:
            need = "a" if label else "no"
            raise ValueError(f"no source with label {label} and {need} scene_description")
    return images


def _parted_by_city(
    by_label: _ByLabel, city: str | None
) -> list[tuple[list[ChallengeImage], list[ChallengeImage]]]:
    """Of each label the images of a city, and the others."""
    if city is None:
        return []
    parted = []
    for label, images in enumerate(by_label):
        flags = [image.record["metadata"]["city_name"] == city for image in images]
        common = [image for image, flag in zip(images, flags, strict=True) if flag]
        others = [image for image, flag in zip(images, flags, strict=True) if not flag]
        if not common or not others:
            raise ValueError(
                f"{len(common)} of {len(images)} sources with label {label} are of {city}, "
                "expected some but not all"
            )
        parted.append((common, others))
    return parted


def _as_logged(
    scored: ScoredAnswers, predictions: Floats, labels: NDArray[np.int8]
) -> dict[str, float]:
    """Metrics by name, with the integer zeros of a log: nothing scored, or an MCC clipped at 0."""
    if not scored.scored[0]:
        return dict.fromkeys(METRICS, 0)
    logged: dict[str, float] = {name: float(getattr(scored, name)[0]) for name in METRICS}
    if logged["mcc"] == 0.0:
        answered = predictions != UNANSWERED
        classes = predicted_class(predictions[answered])
        if min(len(np.unique(classes)), len(np.unique(labels[answered]))) > 1:
            logged["mcc"] = 0
    return logged
