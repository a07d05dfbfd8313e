"""Compares a candidate with every logged miner, each on exactly the challenges that both have."""

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
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import (
    CANDIDATE,
    PairedAnswers,
    by_life,
    concatenated,
    without_miners,
)
from analytics.leaks.training_rows import row_count
from analytics.lives.order import EVERYONE, Choice
from analytics.scoring.metrics import mcc_of_tables
from analytics.slices.scores import SliceSettings
from replay.comparing.distinct_miners import distinct_miners
from replay.comparing.loaded_answers import RunAnswers, run_answers
from replay.comparing.paired_comparisons import paired_comparisons, paired_scores, score
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
    """Settings of the intervals, of the parts in time and of the slices.

    `earlier` is the share of each life's challenges, 0..1, that is the earlier part. `slices` None
    leaves slices out: they take longer than all else.
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
            (`analytics.leaks.training_rows.read_training_rows`): challenges of the same row,
            video or place are left out. None: that is not checked.
        on_progress: called with the number of draws done, of `2 * settings.bootstrap.draws` at
            most.
        choice: whose challenges.

    Raises:
        RunError: there is no such run, or no miner was asked what it predicted.
        QueryError: the store holds no answer, or no such validator or logged run.
    """
    answers = run_answers(connection, run, training, choice)
    paired = paired_comparisons(answers.paired, settings.bootstrap, on_progress)
    miners = _miners(answers, paired.comparisons, settings.bootstrap)
    asked = np.array([comparison.score.asked > 0 for comparison in paired.comparisons])
    distinct = distinct_miners(
        connection, [comparison.score.n for comparison in paired.comparisons]
    )
    slices = RunSlices([], {})
    if settings.slices is not None:
        slices = run_slices(connection, answers, settings.slices)
    return Comparison(
        **_run_fields(answers, settings.bootstrap),
        overlap_checked=training is not None,
        training_rows=None if training is None else row_count(training),
        miners=miners,
        without_shared=len(answers.miners) - len(miners),
        ranks={name: paired.differences.rank(name) for name in RANKED},
        ranks_without_clones={name: paired.differences.rank(name, distinct) for name in RANKED},
        clones_left_out=int((asked & ~distinct).sum()),
        **_later_fields(answers, settings, on_progress),
        slices=slices.slices,
        slices_left_out=slices.left_out,
        draws=settings.bootstrap.draws,
        level=settings.bootstrap.level,
        seed=settings.bootstrap.seed,
    )


def _run_fields(answers: RunAnswers, bootstrap: BootstrapSettings) -> dict[str, Any]:
    """The fields of a `Comparison` that are of the run alone, on all that it predicted."""
    fidelity = answers.challenges["fidelity"]
    return {
        "run_id": answers.run["run_id"],
        "model": answers.run["model"],
        "uses_metadata": answers.run["uses_metadata"],
        "lives": answers.lives,
        "candidate": _candidate(answers.paired, bootstrap),
        "mcc_interval": _mcc_interval(answers.paired, bootstrap),
        "exact": int((fidelity == "exact").sum()),
        "distributions": int((fidelity == "distribution").sum()),
        "images": answers.paired.challenges.image_count,
        "left_out": answers.left_out,
        "calibration": calibration(answers.paired.challenges, bootstrap),
    }


def _later_fields(
    answers: RunAnswers, settings: CompareSettings, on_progress: OnProgress
) -> dict[str, Any]:
    """The fields of a `Comparison` that are chosen on the earlier part, scored on the later."""
    challenges = answers.paired.challenges
    earlier = challenges.earlier(settings.earlier)
    chosen, missing = baselines(answers.paired, earlier)
    return {
        "earlier": int(earlier.sum()),
        "later": int((~earlier).sum()),
        "baselines": _baselines(answers, chosen, settings.bootstrap, on_progress),
        "without_baseline": missing,
        "shift": best_logit_shift(challenges, earlier, settings.bootstrap),
    }


def _candidate(paired: PairedAnswers, settings: BootstrapSettings) -> Score:
    """The candidate's score on all predicted challenges, as if it were asked each."""
    alone, n = without_miners(paired.challenges), paired.challenges.count
    counts = image_confusion(alone, paired.challenges.positive_shares())
    points = point_scores(alone, counts, settings)
    return score({name: float(values[0, CANDIDATE]) for name, values in points.items()}, n, n)


def _mcc_interval(paired: PairedAnswers, settings: BootstrapSettings) -> Interval | None:
    """Interval of the candidate's MCC on all predicted challenges, over source images."""
    challenges = paired.challenges
    if challenges.image_count < MIN_IMAGES:
        return None
    counts = image_confusion(without_miners(challenges), challenges.positive_shares())

    def drawn_mcc(draw: int) -> float:
        repeats = image_repeats(challenges.image_count, settings, draw)
        return float(mcc_of_tables(counts.summed(repeats)[0, CANDIDATE]))

    draws = np.array(in_threads(drawn_mcc, range(settings.draws), settings.threads))
    mcc = mcc_of_tables(counts.summed()[0, CANDIDATE])
    [(low, high)] = centred_intervals(np.array([mcc]), draws[:, None], settings.level)
    return float(low), float(high)


def _miners(
    answers: RunAnswers, comparisons: Sequence[PairedComparison], settings: BootstrapSettings
) -> list[MinerComparison]:
    """Miners that were asked something, best by MCC first; who answered nothing comes last."""
    scores = _by_life(answers, settings)
    miners = [
        MinerComparison(
            **vars(comparison),
            uid=uid,
            hotkey=hotkey,
            left_out=answers.miners_left_out[number],
            # of one life alone the scores are those of all
            lives=scores.get(number)
            or [LifeScores(answers.lives[0].name, comparison.score, comparison.candidate)],
        )
        for number, (comparison, (uid, hotkey)) in enumerate(
            zip(comparisons, answers.miners, strict=True)
        )
        if comparison.score.asked
    ]
    return sorted(
        miners,
        key=lambda miner: (
            math.isnan(miner.score.mcc),
            -miner.score.mcc,
            -miner.score.n,
            miner.uid,
            miner.hotkey,
        ),
    )


def _by_life(answers: RunAnswers, settings: BootstrapSettings) -> dict[int, list[LifeScores]]:
    """The scores of each miner in each life that asked it, by the miner's number."""
    if len(answers.lives) == 1:
        return {}
    life_answers, owners, lives = by_life(answers.paired)
    names = {life.number: life.name for life in answers.lives}
    scores: dict[int, list[LifeScores]] = {}
    pairs = paired_scores(PairedAnswers(answers.paired.challenges, life_answers), settings)
    for owner, life, (other, candidate) in zip(owners, lives, pairs, strict=True):
        scores.setdefault(owner, []).append(LifeScores(names[life], other, candidate))
    return scores


def _baselines(
    answers: RunAnswers,
    chosen: list[Baseline],
    settings: BootstrapSettings,
    on_progress: OnProgress,
) -> list[BaselineComparison]:
    if not chosen:
        return []
    baseline_answers = concatenated([baseline.answers for baseline in chosen])
    paired = PairedAnswers(answers.paired.challenges, baseline_answers)
    comparisons = paired_comparisons(paired, settings, on_progress).comparisons
    return [
        BaselineComparison(
            **vars(comparison),
            name=baseline.name,
            uid=None if baseline.miner is None else answers.miners[baseline.miner][0],
            hotkey=None if baseline.miner is None else answers.miners[baseline.miner][1],
            chosen_on=baseline.chosen_on,
            earlier_mcc=baseline.earlier_mcc,
        )
        for comparison, baseline in zip(comparisons, chosen, strict=True)
    ]
