"""What a single logged answer says: accuracy over the last ten, and whether its numbers agree."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.ingest import ingest
from analytics.scoring import metrics
from analytics.scoring.metrics import ConfusionCounts
from analytics.scoring.self_consistency import recoverable, self_consistent
from analytics.warehouse.connection import reading
from data.records.accuracy_of_ten import SHORT_WINDOW, accuracy_of_ten, least_answers
from data.records.eras import EXPONENTS
from data.store import Store
from tests.conftest import golden_records

CELLS = st.lists(st.integers(0, 24), min_size=4, max_size=4)
COLUMNS = ("accuracy", "precision", "recall", "f1_score", "mcc", "auc")


@pytest.mark.parametrize(("era", "exponent"), [("e7", 3), ("e9", 3), ("e5", 1)])
def test_every_golden_answer_agrees_with_itself_and_gives_its_accuracy(
    golden: Path, era: str, exponent: int
) -> None:
    records = golden_records(golden, era)
    logged = np.array(
        [np.concatenate([record[f"miner_image_{name}"] for record in records]) for name in COLUMNS]
        + [np.concatenate([record["rewards"] for record in records])]
    )
    count = logged.shape[1]
    exponents, chosen = np.full(count, float(exponent)), np.ones(count, bool)
    assert self_consistent(logged, exponents, chosen, ~chosen).all()
    paid = logged[6] > 0
    assert recoverable(logged[6], logged[4], exponents).tolist() == paid.tolist()


@given(CELLS, st.integers(0, 6), st.floats(0.01, 0.2))
def test_a_changed_number_contradicts_the_others(
    cells: list[int], column: int, change: float
) -> None:
    counts = ConfusionCounts(*(cell + 1 for cell in cells))
    mcc = max(0.0, metrics.mcc(counts))
    numbers = [
        metrics.accuracy(counts),
        metrics.precision(counts),
        metrics.recall(counts),
        metrics.f1_score(counts),
        mcc,
        0.75,
        metrics.reward(mcc, 0.7, 0.5, 3),
    ]
    one = np.ones(1, bool)

    def agrees() -> bool:
        return bool(self_consistent(np.array([numbers]).T, np.array([3.0]), one, ~one)[0])

    assert agrees()
    if column != 5:  # AUC is bound by none of the others
        numbers[column] -= change * np.pi / 4
        assert not agrees()


def test_the_view_gives_the_same_as_the_function(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e7" / "challenges.jsonl", golden / "e5" / "challenges.jsonl"])
    with reading(store) as connection:
        rows = connection.execute(
            "SELECT answer.reward, answer.mcc, media.era, correct, answered "
            "FROM audit_recent_accuracy "
            "INNER JOIN responses AS answer USING (challenge_id, slot) "
            "INNER JOIN media USING (challenge_id)"
        ).fetchall()
    assert len(rows) > 4000
    for reward, mcc, era, correct, answered in rows:
        accuracy = accuracy_of_ten(reward, mcc, EXPONENTS[era])
        assert answered == least_answers(accuracy, SHORT_WINDOW)
        assert correct == round(accuracy * answered)
