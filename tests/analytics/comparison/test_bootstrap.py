"""Confusion counts, AUC and bootstrap draws against scikit-learn on repeated rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, matthews_corrcoef, roc_auc_score

from analytics.comparison.answer_codes import answer_codes, candidate_codes
from analytics.comparison.bootstrap import (
    BootstrapSettings,
    bootstrap_scores,
    image_repeats,
    point_scores,
    variant_uniforms,
)
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import centred_intervals
from analytics.comparison.paired_answers import Answers, PairedAnswers
from analytics.comparison.paired_rewards import paired_rewards
from analytics.comparison.weighted_auc import ranked_answers
from analytics.scoring import metrics
from analytics.scoring.metrics import Floats
from tests.analytics.comparison.simulated_answers import WorldSettings, world

SMALL = WorldSettings(images=15, challenges=60, miners=4, asked=2)
ODD = np.array([-1.0, np.nan, 1.7, -0.3, 0.5])
SETTINGS = BootstrapSettings(draws=12, auc=True, threads=2)


def small_world(seed: int, variants: int = 1, odd: float = 0.2) -> PairedAnswers:
    paired = world(replace(SMALL, seed=seed, variants=variants)).paired
    rng = np.random.default_rng(seed)
    prediction = paired.answers.prediction.copy()
    replaced = rng.random(len(prediction)) < odd
    prediction[replaced] = rng.choice(ODD, replaced.sum())
    # hard answers make ties
    hard = rng.random(len(prediction)) < 0.3
    prediction[hard] = np.round(prediction[hard])
    answers = paired.answers
    return PairedAnswers(
        paired.challenges, Answers(answers.starts, answers.challenge, answers.spell, prediction)
    )


def rows(paired: PairedAnswers, answerer: int, repeats: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Indices of an answerer's answers that metrics can use, as often as their images repeat."""
    answers = paired.answers
    part = np.arange(answers.starts[answerer], answers.starts[answerer + 1])
    part = part[answers.answered[part]]
    return np.repeat(part, repeats[paired.challenges.images[answers.challenge[part]]])


def classes(values: Floats) -> NDArray[np.int64]:
    rounded = np.round(values)
    # a class that is neither is a third one, whichever it is
    return np.where((rounded == 0) | (rounded == 1), rounded, 2).astype(np.int64)


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_counts_of_drawn_images_are_scikit_learns_on_repeated_rows(seed: int) -> None:
    paired = small_world(seed)
    challenges, answers = paired.challenges, paired.answers
    counts = image_confusion(paired, challenges.positive_shares())
    repeats = np.random.default_rng(seed).integers(0, 4, challenges.image_count).astype(np.uint8)
    tables = counts.summed(repeats)
    for answerer in range(answers.count):
        drawn = rows(paired, answerer, repeats)
        sent = answers.challenge[drawn]
        labels = challenges.labels[sent]
        sides = (answers.prediction[drawn], challenges.probabilities[sent])
        for side, values in enumerate(sides):
            table = tables[answerer, side]
            if not len(drawn):
                assert not table.any()
                continue
            predicted = classes(values)
            accuracy = accuracy_score(labels, predicted)
            assert metrics.accuracy_of_tables(table) == pytest.approx(accuracy)
            expected = matthews_corrcoef(labels, predicted)
            assert float(metrics.mcc_of_tables(table)) == pytest.approx(expected, abs=1e-12)


def test_possible_images_count_by_their_shares() -> None:
    paired = small_world(1, variants=4)
    challenges = paired.challenges
    tables = image_confusion(paired, challenges.positive_shares()).summed()
    for answerer in range(paired.answers.count):
        sent = paired.answers.challenge[rows(paired, answerer, np.ones(99, np.uint8))]
        above = challenges.probabilities.reshape(-1, 4)[sent] > 0.5
        positive = challenges.labels[sent] == 1
        assert tables[answerer, 1, 1, 1] == pytest.approx(above[positive].mean(axis=1).sum())
        assert tables[answerer, 1, 0, 1] == pytest.approx(above[~positive].mean(axis=1).sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3]))
def test_auc_of_drawn_and_possible_images_is_scikit_learns_with_weights(
    seed: int, variants: int
) -> None:
    paired = small_world(seed, variants)
    challenges, answers = paired.challenges, paired.answers
    repeats = np.random.default_rng(seed).integers(0, 4, challenges.image_count).astype(np.uint8)
    for answerer, sides in enumerate(ranked_answers(paired)):
        drawn = rows(paired, answerer, np.ones_like(repeats))
        sent = answers.challenge[drawn]
        weight, labels = repeats[challenges.images[sent]].astype(float), challenges.labels[sent]
        both_labels = len(set(labels[weight > 0])) == 2
        possible = challenges.probabilities.reshape(-1, variants)[sent].ravel()
        given_sides = ((answers.prediction[drawn], 1), (possible, variants))
        for side, (values, each) in zip(sides, given_sides, strict=True):
            weights = np.repeat(weight, each) / each
            expected = (
                roc_auc_score(np.repeat(labels, each), values, sample_weight=weights)
                if both_labels
                else 0.0
            )
            assert side.auc(repeats) == pytest.approx(expected, abs=1e-12)
        once = np.ones_like(repeats)
        plain = metrics.auc(answers.prediction[drawn], labels.astype(np.int64))
        assert sides[0].auc(once) == pytest.approx(plain, abs=1e-12)


def test_every_draw_scores_its_resampled_images_and_sampled_variants() -> None:
    paired = small_world(2, variants=4)
    challenges, answers = paired.challenges, paired.answers
    positive_shares = challenges.positive_shares()
    counts = image_confusion(paired, positive_shares)
    drawn = bootstrap_scores(paired, counts, SETTINGS)
    assert {name: values.shape for name, values in drawn.items()} == dict.fromkeys(
        ("accuracy", "mcc", "auc", "reward", "ema", "mean_ema"), (12, 4, 2)
    )
    for draw in (0, 11):
        repeats = image_repeats(challenges.image_count, SETTINGS, draw)
        assert repeats.sum() == challenges.image_count
        candidate = candidate_codes(
            challenges, positive_shares, variant_uniforms(challenges.count, SETTINGS, draw)
        )
        codes, sent = answer_codes(challenges, answers), repeats[challenges.images]
        scored = paired_rewards(challenges, answers, codes, candidate, sent)
        assert (drawn["reward"][draw] == scored.reward).all()
        assert (drawn["mcc"][draw] == metrics.mcc_of_tables(counts.summed(repeats))).all()
        aucs = [[side.auc(repeats) for side in sides] for sides in ranked_answers(paired)]
        assert (drawn["auc"][draw] == aucs).all()


def test_threads_change_no_number_and_another_seed_does() -> None:
    paired = small_world(3, variants=2)
    counts = image_confusion(paired, paired.challenges.positive_shares())
    one_thread, two_threads, other_seed = (
        bootstrap_scores(paired, counts, settings)
        for settings in (replace(SETTINGS, threads=1), SETTINGS, replace(SETTINGS, seed=1))
    )
    assert all((one_thread[name] == two_threads[name]).all() for name in one_thread)
    assert not any((one_thread[name] == other_seed[name]).all() for name in one_thread)


def test_repeats_of_one_image_are_drawn_together() -> None:
    # a hundred answers about each image hold no more information than one does
    once = world(WorldSettings(images=40, challenges=40, miners=1, asked=1, difficulty=3)).paired
    many = PairedAnswers(
        replace(
            once.challenges,
            **{
                name: np.repeat(getattr(once.challenges, name), 100)
                for name in ("labels", "images", "exponents", "probabilities", "weights", "lives")
            },
            starts=np.arange(4001),
        ),
        Answers(
            np.array([0, 4000]),
            np.arange(4000, dtype=np.int32),
            np.zeros(4000, np.int32),
            np.repeat(once.answers.prediction, 100),
        ),
    )
    fifty_draws = BootstrapSettings(draws=50)
    few, lots = (
        bootstrap_scores(
            paired, image_confusion(paired, paired.challenges.positive_shares()), fifty_draws
        )["mcc"]
        for paired in (once, many)
    )
    assert lots == pytest.approx(few)


def test_equal_answers_have_an_interval_of_nothing() -> None:
    paired = small_world(4, odd=0.0)
    answers = paired.answers
    same = PairedAnswers(
        paired.challenges,
        replace(answers, prediction=paired.challenges.probabilities[answers.challenge]),
    )
    counts = image_confusion(same, same.challenges.positive_shares())
    points, draws = point_scores(same, counts, SETTINGS), bootstrap_scores(same, counts, SETTINGS)
    for name, values in draws.items():
        point = points[name][:, 1] - points[name][:, 0]
        intervals = centred_intervals(point, values[..., 1] - values[..., 0], 0.95)
        assert intervals == pytest.approx(np.zeros((4, 2)), abs=1e-12), name
