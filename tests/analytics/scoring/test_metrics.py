"""Each metric against scikit-learn, and the cases that DOMAIN.md §3 names."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from analytics.scoring import metrics
from analytics.scoring.metrics import Floats, Labels
from analytics.scoring.predicted_class import predicted_class
from analytics.scoring.tracker import METRICS, ScoringSettings, Tracker

TOLERANCE = 1e-12
UNSCORED = dict.fromkeys(METRICS, 0.0)

probabilities = st.one_of(
    st.floats(0.0, 1.0), st.sampled_from([0.0, 0.25, 0.5, 0.5 + 1e-9, 1.0, -1.0])
)
odd_probabilities = st.one_of(
    probabilities,
    st.sampled_from([1.7, 1.5, -0.3, -0.5, -0.7, 2.6, math.nan, math.inf, -math.inf]),
)


def windows(values: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[Floats, Labels]]:
    labels = st.one_of(st.integers(0, 1), st.just(1))
    rows = st.lists(st.tuples(values, labels), min_size=1, max_size=130)
    one_label = st.lists(st.tuples(values, st.just(1)), min_size=1, max_size=5)
    return st.one_of(rows, one_label).map(
        lambda pairs: (
            np.array([pair[0] for pair in pairs], np.float64),
            np.array([pair[1] for pair in pairs], np.int64),
        )
    )


def validator_metrics(window: Floats, labels: Labels) -> dict[str, float]:
    """What the validator does, written with scikit-learn after its source."""
    window, labels = window[-100:], labels[-100:]
    keep = [i for i, p in enumerate(window.tolist()) if p != -1]
    answers, truth = window[keep], labels[keep]
    classes = np.round(answers)
    if not keep:
        return UNSCORED
    try:
        one_class = min(len(np.unique(truth)), len(np.unique(classes))) < 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {
                "accuracy": sk.accuracy_score(truth, classes),
                "precision": sk.precision_score(truth, classes, zero_division=0),
                "recall": sk.recall_score(truth, classes, zero_division=0),
                "f1_score": sk.f1_score(truth, classes, zero_division=0),
                "mcc": 0.0 if one_class else max(0.0, sk.matthews_corrcoef(truth, classes)),
                "auc": sk.roc_auc_score(truth, answers) if len(np.unique(truth)) > 1 else 0.0,
            }
    except ValueError:
        return UNSCORED


def last_metrics(window: Floats, labels: Labels) -> dict[str, float]:
    """The metrics after the last of a window's answers."""
    settings = ScoringSettings(metrics_window=100)
    zeros = np.zeros(len(window), np.int64)
    scored = Tracker(settings, uids=1).answer(zeros, zeros, window, labels, 3)
    return {name: float(getattr(scored, name)[-1]) for name in METRICS}


def assert_equal(found: dict[str, float], expected: dict[str, float]) -> None:
    assert found == pytest.approx(expected, abs=TOLERANCE, rel=0)


def window(*pairs: tuple[float, int]) -> tuple[Floats, Labels]:
    return np.array([p for p, _ in pairs], np.float64), np.array([y for _, y in pairs], np.int64)


@given(windows(probabilities))
@settings(max_examples=80, deadline=None)
def test_a_window_is_what_scikit_learn_says(case: tuple[Floats, Labels]) -> None:
    assert_equal(last_metrics(*case), validator_metrics(*case))


@given(windows(odd_probabilities))
@settings(max_examples=160, deadline=None)
def test_odd_answers_score_as_scikit_learn_makes_the_validator_score_them(
    case: tuple[Floats, Labels],
) -> None:
    assert_equal(last_metrics(*case), validator_metrics(*case))


@given(windows(odd_probabilities))
@settings(max_examples=60, deadline=None)
def test_the_short_window_is_scored_as_the_long_one_would_be(case: tuple[Floats, Labels]) -> None:
    zeros = np.zeros(len(case[0]), np.int64)
    scored = Tracker(uids=1).answer(zeros, zeros, *case, 1)
    short = validator_metrics(case[0][-10:], case[1][-10:])["accuracy"]
    assert scored.recent_accuracy[-1] == pytest.approx(short, abs=TOLERANCE)


@given(windows(probabilities))
@settings(max_examples=50, deadline=None)
def test_order_does_not_count_and_all_metrics_lie_in_0_to_1(case: tuple[Floats, Labels]) -> None:
    found = last_metrics(*case)
    assert found == last_metrics(case[0][-100:][::-1], case[1][-100:][::-1])
    assert all(0.0 <= value <= 1.0 for value in found.values())


@given(st.lists(st.tuples(st.integers(-3, 9), st.integers(0, 1)), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_auc_averages_ties(pairs: list[tuple[int, int]]) -> None:
    scores, labels = window(*pairs)
    two = len(set(labels.tolist())) > 1
    expected = sk.roc_auc_score(labels, scores) if two else 0.0
    assert metrics.auc(scores, labels) == pytest.approx(expected, abs=TOLERANCE)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_single_metrics_and_counts(pairs: list[tuple[int, int]]) -> None:
    classes, labels = window(*pairs)
    counts = metrics.confusion_counts(classes, labels)
    table = sk.confusion_matrix(labels, classes, labels=[0, 1])
    assert [[counts.true_negatives, counts.false_positives]] == table[:1].tolist()
    assert [[counts.false_negatives, counts.true_positives]] == table[1:].tolist()
    for ours, theirs in (
        (metrics.precision, sk.precision_score),
        (metrics.recall, sk.recall_score),
        (metrics.f1_score, sk.f1_score),
    ):
        expected = theirs(labels, classes, zero_division=0)
        assert ours(counts) == pytest.approx(expected, abs=TOLERANCE)
    assert metrics.accuracy(counts) == sk.accuracy_score(labels, classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a single label
        signed = sk.matthews_corrcoef(labels, classes)
    assert metrics.mcc(counts) == pytest.approx(signed, abs=TOLERANCE)


def test_classes_round_half_to_even() -> None:
    given_ = np.array([0.5, 0.5000001, 1.5, 1.7, -0.3, -0.7])
    assert predicted_class(given_).tolist() == [0, 1, 2, 2, 0, -1]


def test_perfect_and_inverted_answers_are_exactly_one_and_minus_one() -> None:
    classes, labels = window((1, 1), (0, 0), (1, 1))
    for answered, expected in ((classes, 1.0), (1 - classes, -1.0)):
        assert metrics.mcc(metrics.confusion_counts(answered, labels)) == expected
    counts = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert float(metrics.mcc_of_tables(counts)) == 1.0
    assert float(metrics.mcc_of_tables(counts[:, ::-1])) == -1.0
    assert last_metrics(1 - classes, labels)["mcc"] == 0.0


def test_nothing_answered_is_all_zero() -> None:
    assert last_metrics(*window((-1, 1), (-1, 0))) == UNSCORED


@pytest.mark.parametrize("odd", [1.7, -0.7, math.nan, math.inf, -math.inf])
def test_an_odd_answer_zeroes_a_window_of_both_labels(odd: float) -> None:
    assert last_metrics(*window((0.9, 1), (0.1, 0), (odd, 1))) == UNSCORED


def test_class_2_is_not_1_where_all_labels_are_1() -> None:
    found = last_metrics(*window((0.9, 1), (1.7, 1), (1.0, 1), (2.2, 1)))
    assert (found["accuracy"], found["precision"], found["recall"]) == (0.5, 1.0, 0.5)
    assert (found["mcc"], found["auc"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    "pairs",
    [
        [(0.9, 1), (1.7, 1), (0.1, 1)],
        [(1.7, 1), (-0.7, 1)],
        [(1.7, 0), (0.1, 0)],
        [(1.7, 0)],
        [(0.9, 1), (math.nan, 1)],
        [(math.inf, 1)],
    ],
)
def test_but_not_beside_a_third_class_nor_where_a_label_is_0(
    pairs: list[tuple[float, int]],
) -> None:
    assert last_metrics(*window(*pairs)) == UNSCORED
    assert validator_metrics(*window(*pairs)) == UNSCORED


@pytest.mark.parametrize("prediction", [-1.0, -0.3, -1e-9, 1.0 + 1e-9, 1.7, math.nan, math.inf])
def test_no_reward_for_no_answer_or_one_out_of_range(prediction: float) -> None:
    assert metrics.reward(1.0, 1.0, prediction, 3) == 0.0


def test_reward_is_the_mean_to_the_power_of_the_era() -> None:
    assert metrics.reward(0.5, 1.0, 0.0, 1) == 0.75
    assert metrics.reward(0.5, 1.0, 1.0, 3) == 0.75**3
