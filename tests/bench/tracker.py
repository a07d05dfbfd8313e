"""Speed of the tracker, against a deque and scikit-learn's metrics over two windows."""

import multiprocessing
import time
from collections import defaultdict, deque

import numpy as np
from sklearn import metrics as sk

from analytics.scoring.tracker import Tracker
from data.terminal import print_table, say
from tests.bench.long_logs import AnswerBatch, random_answers
from tests.bench.peak_memory import peak_mebibytes

DIRECT = 600
SIZES = (10_000, 100_000, 1_000_000)
_SHORT, _LONG = 10, 100


def _library_seconds(batch: AnswerBatch, count: int) -> float:
    """Seconds of the direct way for the last `count` answers, windows being full by then."""
    histories: dict[int, deque[tuple[float, int]]] = defaultdict(lambda: deque(maxlen=_LONG))
    rows = list(
        zip(batch.uids.tolist(), batch.predictions.tolist(), batch.labels.tolist(), strict=True)
    )
    for uid, prediction, label in rows[:-count]:
        histories[uid].append((prediction, label))
    start = time.process_time()
    for uid, prediction, label in rows[-count:]:
        histories[uid].append((prediction, label))
        pairs = list(histories[uid])
        for window in (pairs, pairs[-_SHORT:]):
            _metrics([pair for pair in window if pair[0] != -1])
    return time.process_time() - start


def _metrics(answered: list[tuple[float, int]]) -> None:
    if not answered:
        return
    probabilities = np.array([prediction for prediction, _ in answered])
    labels = np.array([label for _, label in answered])
    classes = np.round(probabilities)
    sk.accuracy_score(labels, classes)
    sk.precision_score(labels, classes, zero_division=0)
    sk.recall_score(labels, classes, zero_division=0)
    sk.f1_score(labels, classes, zero_division=0)
    if len(set(labels.tolist())) > 1:
        sk.roc_auc_score(labels, probabilities)
        if len(set(classes.tolist())) > 1:
            sk.matthews_corrcoef(labels, classes)


def _tracker_seconds(challenges: int) -> tuple[int, float]:
    """Answers and seconds of processor time, fed in batches as the audit does."""
    tracker, seconds, count = Tracker(), 0.0, 0
    for batch in random_answers(challenges):
        start = time.process_time()
        batch.score(tracker)
        seconds += time.process_time() - start
        count += len(batch.uids)
    return count, seconds


def _peak(challenges: int, queue: "multiprocessing.Queue[tuple[int, float, float]]") -> None:
    _tracker_seconds(100)  # loads what is compiled
    count, seconds = _tracker_seconds(challenges)
    queue.put((count, seconds, peak_mebibytes()))


def _in_a_process(challenges: int) -> tuple[int, float, float]:
    """Answers, seconds, and peak memory in MiB of a process that does nothing else."""
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[tuple[int, float, float]] = context.Queue()
    process = context.Process(target=_peak, args=(challenges, queue))
    process.start()
    measured = queue.get()
    process.join()
    return measured


def main() -> None:
    """Print answers per second both ways, growth, and memory."""
    _tracker_seconds(100)  # compiles
    warm = next(random_answers(5_000))
    direct = _library_seconds(warm, DIRECT) / DIRECT
    rows, before = [], 0.0
    for challenges in SIZES:
        count, seconds, peak = _in_a_process(challenges)
        growth = f"{seconds / before:.1f}" if before else "–"
        ratio = direct / (seconds / count)
        rows.append((challenges, count, seconds, count / seconds, ratio, growth, peak))
        before = seconds
    say(f"direct: {1000 * direct:.1f} ms an answer ({DIRECT} answers, full windows)")
    print_table(
        "tracker, one core",
        ("challenges", "answers", "s", "answers/s", "x direct", "x ten times fewer", "peak MiB"),
        rows,
    )


if __name__ == "__main__":
    main()
