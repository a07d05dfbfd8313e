"""Evidence of reserved source rows, which no training saw and about which no miner was asked."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.comparison.paired_answers import Challenges
from analytics.leaks.training_rows import read_training_rows
from analytics.scoring.metrics import Floats
from data.errors import RunError
from data.machine.processes import cores
from data.sources.shards import Shards
from model.datasets.challenge_draws import Sample, decode_jpeg, draw_samples
from model.datasets.jpegs import build_jpegs
from model.datasets.settings import DatasetSettings
from model.promotion_gate.evidence import Evidence, gate_set
from model.promotion_gate.guarded_slices import GuardedSlices, guarded_slices
from model.promotion_gate.settings import CITY, ERA, LABEL, LEVEL, NULL_PATTERN
from model.rows.folds import rows_not_in
from model.rows.source_rows import ListedRows
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow
from replay.candidates.predictor import Batch, Predictor, training_rows
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import CannotRebuildError

_ROWS_AT_ONCE = 32
_NULL_FIELDS = ("gps", "city", "daytime", "environment", "weather")


def reserved_evidence(
    rows: Sequence[TrainingRow],
    shards: Shards,
    champion: Predictor,
    challenger: Predictor,
    dataset: DatasetSettings = DatasetSettings(),
    *,
    seed: int = 0,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Evidence | None:
    """What two candidates answer to challenges drawn of source rows that neither was trained on.

    Both see the very same images, `dataset.draws` of each row, through the validator's own
    augmentation. Streets take the place of source images, as rows of one street look alike.

    Args:
        rows: the reserved ones.
        shards: their images.
        champion: answers by the image alone.
        challenger: likewise.
        dataset: how challenges are drawn.
        seed: of the draws.
        on_progress: called with the number of rows done.

    Returns:
        The evidence; None where no row is left.

    Raises:
        RunError: a candidate wants metadata, or gave no probability.
        SourceError: a candidate's training rows cannot be read.
    """
    asked = _Asked(shards, (champion, challenger), dataset, seed)
    for side, predictor in asked.sides.items():
        _refuse_metadata(side, predictor)
    unseen = _unseen(rows, asked.predictors)
    answered = _answer_all(asked, unseen.rows, on_progress)
    return _evidence(asked, unseen, answered) if answered.samples else None


@dataclass(frozen=True)
class _Asked:
    shards: Shards
    predictors: tuple[Predictor, Predictor]
    dataset: DatasetSettings
    seed: int

    @property
    def sides(self) -> dict[str, Predictor]:
        return dict(zip(("champion", "challenger"), self.predictors, strict=True))


@dataclass
class _Answered:
    """Samples with the answers of both, and counts of rows without an image, by reason."""

    samples: list[Sample]
    answers: list[tuple[float, ...]]
    left_out: Counter[str]


def _evidence(asked: _Asked, unseen: ListedRows, answered: _Answered) -> Evidence:
    rows, samples = unseen.rows, answered.samples
    own, other = (
        _challenges(rows, samples, np.array([pair[side] for pair in answered.answers]))
        for side in range(2)
    )
    guarded = _guarded(rows, samples)
    return Evidence(
        champion=own,
        challenger=other,
        places=None,
        positions=np.array([rows[sample.row].gps or (np.nan, np.nan) for sample in samples]),
        slices=guarded.memberships,
        small_slices=guarded.small,
        gate_set=gate_set(
            (sample.challenge.challenge_id for sample in samples),
            (f"{sample.challenge.parquet}:{sample.challenge.row}" for sample in samples),
        ),
        champion_id=asked.predictors[0].fingerprint,
        challenger_id=asked.predictors[1].fingerprint,
        left_out=Counter(unseen.left_out) + answered.left_out,
        training_unknown=[
            side for side, predictor in asked.sides.items() if training_rows(predictor) is None
        ],
    )


def _unseen(rows: Sequence[TrainingRow], predictors: Sequence[Predictor]) -> ListedRows:
    """The rows that overlap with no row that a candidate was trained on; the others by reason."""
    left_out: Counter[str] = Counter()
    kept = list(rows)
    for predictor in predictors:
        file = training_rows(predictor)
        if file is not None and kept:
            listed = rows_not_in(kept, read_training_rows(file))
            kept = listed.rows
            left_out += Counter(listed.left_out)
    return ListedRows(kept, dict(left_out))


def _answer_all(
    asked: _Asked, rows: Sequence[TrainingRow], on_progress: Callable[[int], object]
) -> _Answered:
    answered = _Answered([], [], Counter())
    keys = ImageKeys(asked.shards, asked.seed, asked.dataset.arithmetic)
    for part in _parts(rows):
        built = _build(asked, rows, part, answered.left_out)
        if built:
            batch = Batch(
                [sample.challenge.challenge_id for sample, _ in built],
                [decode_jpeg(jpeg) for _, jpeg in built],
                None,
                [keys.key(sample.challenge, sample.variant) for sample, _ in built],
            )
            answers = [_probabilities(predictor, batch) for predictor in asked.predictors]
            answered.samples += [sample for sample, _ in built]
            answered.answers += list(zip(*(side.tolist() for side in answers), strict=True))
        on_progress(len(part))
    return answered


def _build(
    asked: _Asked, rows: Sequence[TrainingRow], part: range, left_out: Counter[str]
) -> list[tuple[Sample, bytes]]:
    """The challenges of some rows, with their JPEGs; a row without one is left out and counted."""
    dataset, seed = asked.dataset, asked.seed
    samples = [
        sample
        for index in part
        for sample in draw_samples(rows[index], index, dataset.draws, seed, dataset)
    ]
    jpegs = build_jpegs(samples, asked.shards, seed, cores(), arithmetic=dataset.arithmetic)
    pairs = list(zip(samples, jpegs, strict=True))
    failed = {
        sample.row: str(jpeg.reason)
        for sample, jpeg in pairs
        if isinstance(jpeg, CannotRebuildError)
    }
    left_out.update(failed.values())
    return [
        (sample, jpeg)
        for sample, jpeg in pairs
        if isinstance(jpeg, bytes) and sample.row not in failed
    ]


def _parts(rows: Sequence[TrainingRow]) -> Iterator[range]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield range(start, min(start + _ROWS_AT_ONCE, len(rows)))


def _probabilities(predictor: Predictor, batch: Batch) -> Floats:
    probability = predictor.predict(batch).probability
    good = probability.shape == (len(batch.challenge_ids),)
    if not good or not ((probability >= 0) & (probability <= 1)).all():
        raise RunError(
            f"answers of {predictor.name}",
            found="something that is no probability",
            expected=f"{len(batch.challenge_ids)} numbers in 0..1",
        )
    return probability


def _challenges(
    rows: Sequence[TrainingRow], samples: Sequence[Sample], probabilities: Floats
) -> Challenges:
    """Challenges without windows: only counts are taken of them."""
    streets = streets_of_rows(rows)[[sample.row for sample in samples]]
    count = len(samples)
    return Challenges(
        labels=np.array([sample.challenge.label for sample in samples], np.int8),
        images=np.unique(streets, return_inverse=True)[1].astype(np.int32),
        exponents=np.ones(count, np.int8),
        starts=np.arange(count + 1, dtype=np.int64),
        probabilities=probabilities,
        weights=np.ones(count),
        lives=np.zeros(count, np.int32),
    )


def _guarded(rows: Sequence[TrainingRow], samples: Sequence[Sample]) -> GuardedSlices:
    table = [
        (index, field, value)
        for index, sample in enumerate(samples)
        for field, value in _values(rows[sample.row], sample)
    ]
    schema = {"index": pl.Int64, "field": pl.String, "value": pl.String}
    return guarded_slices(pl.DataFrame(table, schema, orient="row"), len(samples))


def _values(row: TrainingRow, sample: Sample) -> Iterator[tuple[str, str]]:
    """Field and value of each guarded slice that a challenge is in; words as of logged ones."""
    metadata = row.metadata
    nulls = [f"{name} {kind}" for name in _NULL_FIELDS if (kind := metadata.get(f"{name}_null"))]
    city = metadata.get("city")
    yield CITY, city if city is not None else f"NULL: {metadata.get('city_null')}"
    yield LEVEL, f"level {sample.challenge.augmentation.aug_level}"
    yield ERA, sample.challenge.era
    yield LABEL, "roadwork" if sample.challenge.label == 1 else "none"
    yield NULL_PATTERN, ", ".join(nulls) or "none"


def _refuse_metadata(side: str, predictor: Predictor) -> None:
    if predictor.wants_metadata:
        raise RunError(
            f"{side} {predictor.name}",
            found="one that wants metadata, in which the description reveals the label",
            expected="one that looks at the image alone",
        )
