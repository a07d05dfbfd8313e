"""`compare` of a million challenges against 256 miners: `python -m tests.bench.compare` prints it.

With 1,000 draws, without and with slices, each in a process of its own; a tenth is compared before.
An argument sets the number of challenges. See `compared_log` for what the log holds.
"""

import json
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from cProfile import Profile
from multiprocessing import get_context
from pathlib import Path
from pstats import Stats
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, matthews_corrcoef

from analytics.comparison.answer_codes import answer_codes, candidate_codes
from analytics.comparison.baselines import baselines
from analytics.comparison.best_logit_shift import best_logit_shift
from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from analytics.comparison.calibration import calibration
from analytics.comparison.paired_answers import Challenges, PairedAnswers
from analytics.comparison.paired_rewards import paired_rewards
from analytics.slices.scores import SliceSettings
from analytics.warehouse.connection import reading
from data.store import Store
from replay.comparing.distinct_miners import distinct_miners
from replay.comparing.loaded_answers import run_answers
from replay.comparing.paired_comparisons import paired_comparisons
from replay.comparing.slices import run_slices
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.bench.compared_log import fill_warehouse
from tests.bench.peak_memory import peak_mebibytes

CHALLENGES, DRAWS = 1_000_000, 1000
_LIBRARY_ANSWERS = 400

# draws of miners and baselines are one phase
_PHASES: dict[str, Callable[..., Any]] = {
    "reading": run_answers,
    "draws": paired_comparisons,
    "clones": distinct_miners,
    "slices": run_slices,
    "choosing baselines": baselines,
    "threshold": best_logit_shift,
    "calibration": calibration,
}


def _measured(root: Path, *, with_slices: bool) -> dict[str, Any]:
    """Compare as the command does, in this process; seconds by phase, all, and peak memory."""
    bootstrap = BootstrapSettings(draws=DRAWS)
    settings = CompareSettings(bootstrap, slices=SliceSettings(bootstrap) if with_slices else None)
    profile, wall, cpu = Profile(), time.perf_counter(), time.process_time()
    with reading(Store(root)) as connection:
        compared = profile.runcall(compare_with_miners, connection, "latest", settings)
    seconds = {
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
    }
    return seconds | {
        "mebibytes": round(peak_mebibytes()),
        "answers": sum(miner.score.asked for miner in compared.miners),
        "images": compared.images,
        "slices": len(compared.slices),
        "phases": _phase_seconds(profile),
    }


def _phase_seconds(profile: Profile) -> dict[str, float]:
    """Wall-clock seconds of each phase; its threads are waited for."""
    timings: dict[Any, Any] = vars(Stats(profile))["stats"]
    seconds = {}
    for name, function in _PHASES.items():
        code = function.__code__
        timed = timings.get((code.co_filename, code.co_firstlineno, code.co_name))
        if timed is not None:
            seconds[name] = round(timed[3], 1)
    return seconds


def _library_seconds(paired: PairedAnswers, repeats: NDArray[np.uint8]) -> float:
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


def _compiled_seconds(paired: PairedAnswers, repeats: NDArray[np.uint8]) -> float:
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


def _windows(store: Store) -> dict[str, float]:
    """Time of a drawn answer through both windows, compiled and with a deque and scikit-learn."""
    with reading(store) as connection:
        paired = run_answers(connection, "latest").paired
    repeats_of_image = image_repeats(paired.challenges.image_count, BootstrapSettings(), 0)
    repeats = repeats_of_image[paired.challenges.images]
    compiled, library = _compiled_seconds(paired, repeats), _library_seconds(paired, repeats)
    return {
        "compiled_nanoseconds": round(compiled * 1e9, 1),
        "library_milliseconds": round(library * 1e3, 2),
        "times": round(library / compiled),
    }


def _compared(root: Path, challenges: int) -> dict[str, Any]:
    """Both comparisons of a log of so many challenges."""
    fill_warehouse(Store(root), challenges)
    reports: dict[str, Any] = {"challenges": challenges}
    for name, with_slices in (("without_slices", False), ("with_slices", True)):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            reports[name] = pool.submit(_measured, root, with_slices=with_slices).result()
    return reports


def main(challenges: int = CHALLENGES) -> None:
    """Print times and peak memory of a tenth and of all, and how much longer all take."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tenth = _compared(root / "tenth", challenges // 10)
        windows = _windows(Store(root / "tenth"))
        whole = _compared(root / "whole", challenges)
    times = {
        name: round(whole[name]["cpu_seconds"] / tenth[name]["cpu_seconds"], 2)
        for name in ("without_slices", "with_slices")
    }
    report = {"windows": windows, "tenth": tenth, "whole": whole, "times_the_cpu_seconds": times}
    print(json.dumps(report, indent=2))  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
