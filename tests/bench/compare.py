"""`compare` of a year of challenges against 256 miners with 1,000 draws, and how it grows."""

import resource
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, matthews_corrcoef

from analytics.comparison.answer_codes import answer_codes, candidate_codes
from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from analytics.comparison.paired_answers import Challenges, PairedAnswers
from analytics.comparison.paired_rewards import paired_rewards
from analytics.warehouse.connection import reading, writing
from data.store import Store
from data.terminal import note, print_table, say
from replay.comparing.loaded_answers import run_answers
from replay.comparing.with_miners import CompareSettings, compare_with_miners

SIZES = (100_000, 1_000_000)
ANSWERS, MINERS, IMAGES = 10, 256, 8_549
DRAWS = 1000
_LIBRARY_ANSWERS = 400

# images as many as the public data set has; a quarter of challenges at each level
_FILL_WAREHOUSE = """
CREATE TEMP TABLE sent AS
SELECT
    i, printf('%016x', i) AS challenge_id, (hash(i) % {images})::BIGINT AS row,
    ((hash(hash(i) % {images}) >> 7) % 2)::INTEGER AS label, i % 4 AS level
FROM range({challenges}) AS t (i);
INSERT INTO media (
    challenge_id, file, position, time, era, era_candidates, label, parquet, row,
    flip_horizontal, flip_vertical
)
SELECT
    challenge_id, 'bench', i, TIMESTAMP '2025-12-05' + INTERVAL 30 SECOND * i, 'E7', ['E7'], label,
    'train.parquet', row, false, false
FROM sent;
INSERT INTO responses (challenge_id, slot, uid, hotkey, prediction)
SELECT
    challenge_id, slot, uid, 'hotkey ' || uid,
    CASE WHEN u < 0.01 THEN -1 ELSE 0.5 + (2 * label - 1) * (0.35 - u * uid / 350.0) END
FROM (
    SELECT
        *, ((hash(i) // 1024 + slot * 25) % {miners})::INTEGER AS uid,
        (hash(i * 31 + slot) % 1000000)::DOUBLE / 1e6 AS u
    FROM sent, range({answers}) AS s (slot)
);
INSERT INTO replay_runs VALUES
    ('replay-bench', 'bench', false, now()::TIMESTAMP, {challenges}, {challenges}, '{{}}');
INSERT INTO replay_variants
SELECT
    'replay-bench', challenge_id, v, 1 / count(*) OVER (PARTITION BY i), false,
    0.5 + (2 * label - 1) * (0.4 - (hash(i * 37 + v) % 1000)::DOUBLE / 1600)
FROM sent, range(16) AS w (v)
WHERE v < CASE level WHEN 2 THEN 8 WHEN 3 THEN 16 ELSE 1 END;
INSERT INTO replay_predictions
SELECT
    run_id, challenge_id, avg(probability), 0, avg((probability > 0.5)::INTEGER),
    CASE WHEN count(*) > 1 THEN 'distribution' ELSE 'exact' END, NULL, count(*), 0
FROM replay_variants GROUP BY run_id, challenge_id;
"""


@dataclass(frozen=True)
class Timing:
    """Wall-clock and processor seconds, and the process's peak memory so far."""

    challenges: int
    wall: float
    cpu: float
    gigabytes: float


def fill_warehouse(store: Store, challenges: int) -> None:
    """Write a finished replay of so many challenges, each answered by ten of 256 miners."""
    sizes = {"challenges": challenges, "images": IMAGES, "miners": MINERS, "answers": ANSWERS}
    with writing(store) as writer:
        for statement in _FILL_WAREHOUSE.format(**sizes).split(";"):
            if statement.strip():
                writer.connection.execute(statement).fetchall()


def measure(store: Store, challenges: int) -> Timing:
    """Time one `compare` as the command runs it, with the default settings."""
    settings = CompareSettings(BootstrapSettings(draws=DRAWS))
    wall, cpu = time.perf_counter(), time.process_time()
    with reading(store) as connection:
        compare_with_miners(connection, "latest", settings)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Timing(challenges, time.perf_counter() - wall, time.process_time() - cpu, used)


def _library_seconds(paired: PairedAnswers, repeats: np.ndarray) -> float:
    """Processor seconds an answer with a deque and scikit-learn, over answers of one miner."""
    challenges, answers = paired.challenges, paired.answers
    sent = answers.challenge[: answers.starts[1]]
    drawn = np.repeat(np.arange(len(sent)), repeats[sent])[:_LIBRARY_ANSWERS]
    history: deque[tuple[float, int]] = deque(maxlen=100)
    start = time.process_time()
    for answer in drawn:
        history.append((answers.prediction[answer], challenges.labels[sent[answer]]))
        scored = np.array([pair for pair in history if pair[0] != -1] or [(0.0, 0)])
        classes, labels = np.round(scored[:, 0]), scored[:, 1]
        mcc = matthews_corrcoef(labels, classes) if len(set(labels)) > 1 else 0.0
        _ = (0.5 * max(0.0, mcc) + 0.5 * accuracy_score(labels[-10:], classes[-10:])) ** 3
    return (time.process_time() - start) / len(drawn)


def _compiled_seconds(paired: PairedAnswers, repeats: np.ndarray) -> float:
    """Processor seconds an answer with the compiled windows, over all miners."""
    challenges: Challenges = paired.challenges
    codes = answer_codes(challenges, paired.answers)
    candidate = candidate_codes(challenges, challenges.positive_shares(), 0.5)
    times = []
    for _ in range(6):
        start = time.process_time()
        paired_rewards(challenges, paired.answers, codes, candidate, repeats)
        times.append(time.process_time() - start)
    return min(times) / (2 * int(repeats[paired.answers.challenge].sum()))


def _print_windows(store: Store) -> None:
    with reading(store) as connection:
        paired = run_answers(connection, "latest").paired
    repeats_of_image = image_repeats(paired.challenges.image_count, BootstrapSettings(), 0)
    repeats = repeats_of_image[paired.challenges.images]
    compiled, library = _compiled_seconds(paired, repeats), _library_seconds(paired, repeats)
    say(
        f"a drawn answer through both windows, one core: {compiled * 1e9:.1f} ns; a deque and "
        f"scikit-learn: {library * 1e3:.2f} ms; ratio {library / compiled:,.0f}"
    )


def main() -> None:
    """Print seconds, answers a second, growth and memory."""
    timings: list[Timing] = []
    for challenges in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            note(f"making a world of {challenges} challenges")
            fill_warehouse(store, challenges)
            if not timings:
                _print_windows(store)
            timings.append(measure(store, challenges))
    print_table(
        f"compare: {ANSWERS} answers a challenge, {MINERS} miners, {DRAWS} draws",
        ("challenges", "seconds", "CPU seconds", "answers/s", "drawn pushes/s", "times", "GB"),
        [
            (
                timing.challenges,
                timing.wall,
                timing.cpu,
                timing.challenges * ANSWERS / timing.wall,
                2 * DRAWS * timing.challenges * ANSWERS / timing.wall,
                timing.wall / timings[0].wall,
                timing.gigabytes,
            )
            for timing in timings
        ],
    )


if __name__ == "__main__":
    main()
