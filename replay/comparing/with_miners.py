"""A candidate in every logged miner's place, each on exactly the challenges that both have."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import polars as pl

from analytics.comparison.baselines import Baseline, baselines
from analytics.comparison.best_logit_shift import best_logit_shift
from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    image_repeats,
    in_threads,
    point_scores,
)
from analytics.comparison.calibration import calibration
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import centred_intervals
from analytics.comparison.paired_answers import (
    CANDIDATE,
    PairedAnswers,
    by_life,
    concatenated,
    without_miners,
)
from analytics.comparison.slices import SliceSettings
from analytics.leaks.training_overlap import row_count
from analytics.lives.order import EVERYONE, Choice
from analytics.scoring.metrics import mcc_of_tables
from replay.comparing.loaded_answers import RunAnswers, run_answers
from replay.comparing.paired_comparisons import paired_comparisons, score, scores_of
from replay.comparing.results import (
    RANKED,
    BaselineComparison,
    Comparison,
    LifeScores,
    MinerComparison,
    PairedComparison,
    Score,
)
from replay.comparing.slices import RunSlices, run_slices

OnProgress = Callable[[int], Any]


@dataclass(frozen=True)
class CompareSettings:
    """Of the intervals; the share of each life's challenges, 0..1, that is the earlier part.

    `slices` None leaves slices out: they take longer than all else.
    """

    bootstrap: BootstrapSettings = field(default_factory=BootstrapSettings)
    earlier: float = 0.5
    slices: SliceSettings | None = None


def compare_with_miners(
    connection: duckdb.DuckDBPyConnection,
    run: str,
    settings: CompareSettings = CompareSettings(),
    training: pl.DataFrame | None = None,
    on_progress: OnProgress = lambda _: None,
    choice: Choice = EVERYONE,
) -> Comparison:
    """Compare a finished replay with every logged miner, a (uid, hotkey) pair.

    Challenges without a prediction are dropped for both before the windows, which start empty in
    each validator's life. Of several lives a miner's answers count together in accuracy, MCC and
    AUC, and its rewards in their mean; EMAs are never mixed, see `Score`.

    Args:
        connection: of a warehouse.
        run: a run id, or `latest`.
        settings: of intervals and parts.
        training: rows that the candidate was trained on
            (`analytics.leaks.training_overlap.read_training_rows`): challenges of the same row,
            video or place are left out. None: that is not checked.
        on_progress: called with the number of draws done, of `2 * settings.bootstrap.draws` at
            most.
        choice: whose challenges.

    Raises:
        RunError: there is no such run, or no miner was asked what it predicted.
        QueryError: the store holds no answer, or no such validator or logged run.
    """
    found, bootstrap = run_answers(connection, run, training, choice), settings.bootstrap
    challenges, fidelity = found.paired.challenges, found.challenges["fidelity"]
    judged = paired_comparisons(found.paired, bootstrap, on_progress)
    earlier = challenges.earlier(settings.earlier)
    chosen, missing = baselines(found.paired, earlier)
    miners = _miners(found, judged.comparisons, bootstrap)
    sliced = RunSlices([], {})
    if settings.slices is not None:
        sliced = run_slices(connection, found, settings.slices)
    return Comparison(
        run_id=found.run["run_id"],
        model=found.run["model"],
        uses_metadata=found.run["uses_metadata"],
        lives=found.lives,
        candidate=_candidate(found.paired, bootstrap),
        mcc_interval=_mcc_interval(found.paired, bootstrap),
        exact=int((fidelity == "exact").sum()),
        distributions=int((fidelity == "distribution").sum()),
        images=challenges.image_count,
        left_out=found.left_out,
        overlap_checked=training is not None,
        training_rows=None if training is None else row_count(training),
        miners=miners,
        without_shared=len(found.miners) - len(miners),
        ranks={name: judged.rank(name) for name in RANKED},
        earlier=int(earlier.sum()),
        later=int((~earlier).sum()),
        baselines=_baselines(found, chosen, bootstrap, on_progress),
        without_baseline=missing,
        shift=best_logit_shift(challenges, earlier, bootstrap),
        calibration=calibration(challenges),
        slices=sliced.slices,
        slices_left_out=sliced.left_out,
        draws=bootstrap.draws,
        level=bootstrap.level,
        seed=bootstrap.seed,
    )


def _candidate(paired: PairedAnswers, settings: BootstrapSettings) -> Score:
    """Of all predicted challenges, as if it were asked each."""
    itself, n = without_miners(paired.challenges), paired.challenges.count
    counts = image_confusion(itself, paired.challenges.positive_shares())
    points = point_scores(itself, counts, settings)
    return score({name: float(values[0, 1]) for name, values in points.items()}, n, n)


def _mcc_interval(paired: PairedAnswers, settings: BootstrapSettings) -> tuple[float, float] | None:
    """Of the candidate's MCC on all predicted challenges, over source images."""
    challenges = paired.challenges
    if challenges.image_count < MIN_IMAGES:
        return None
    counts = image_confusion(without_miners(challenges), challenges.positive_shares())

    def drawn(draw: int) -> float:
        repeats = image_repeats(challenges.image_count, settings, draw)
        return float(mcc_of_tables(counts.summed(repeats)[0, CANDIDATE]))

    draws = np.array(in_threads(drawn, range(settings.draws), settings.threads))
    found = mcc_of_tables(counts.summed()[0, CANDIDATE])
    [(low, high)] = centred_intervals(np.array([found]), draws[:, None], settings.level)
    return float(low), float(high)


def _miners(
    found: RunAnswers, comparisons: Sequence[PairedComparison], settings: BootstrapSettings
) -> list[MinerComparison]:
    """Those that were asked something, best by MCC first; who answered nothing comes last."""
    scores = _by_life(found, settings)
    miners = [
        MinerComparison(
            **vars(comparison),
            uid=uid,
            hotkey=hotkey,
            left_out=found.miners_left_out[miner],
            # of one life alone the scores are those of all
            lives=scores.get(miner)
            or [LifeScores(found.lives[0].name, comparison.score, comparison.candidate)],
        )
        for miner, (comparison, (uid, hotkey)) in enumerate(
            zip(comparisons, found.miners, strict=True)
        )
        if comparison.score.asked
    ]
    return sorted(
        miners,
        key=lambda m: (math.isnan(m.score.mcc), -m.score.mcc, -m.score.n, m.uid, m.hotkey),
    )


def _by_life(found: RunAnswers, settings: BootstrapSettings) -> dict[int, list[LifeScores]]:
    """The scores of each miner in each life that asked it, by the miner's number."""
    if len(found.lives) == 1:
        return {}
    answers, owners, lives = by_life(found.paired)
    names = {life.number: life.name for life in found.lives}
    scores: dict[int, list[LifeScores]] = {}
    each = scores_of(PairedAnswers(found.paired.challenges, answers), settings)
    for owner, life, sides in zip(owners, lives, each, strict=True):
        scores.setdefault(owner, []).append(LifeScores(names[life], *sides))
    return scores


def _baselines(
    found: RunAnswers, chosen: list[Baseline], settings: BootstrapSettings, on_progress: OnProgress
) -> list[BaselineComparison]:
    if not chosen:
        return []
    answers = concatenated([one.answers for one in chosen])
    judged = paired_comparisons(
        PairedAnswers(found.paired.challenges, answers), settings, on_progress
    )
    named = [(None, None) if one.miner is None else found.miners[one.miner] for one in chosen]
    return [
        BaselineComparison(
            **vars(comparison),
            name=one.name,
            uid=uid,
            hotkey=hotkey,
            chosen_on=one.chosen_on,
            earlier_mcc=one.earlier_mcc,
        )
        for comparison, one, (uid, hotkey) in zip(judged.comparisons, chosen, named, strict=True)
    ]
