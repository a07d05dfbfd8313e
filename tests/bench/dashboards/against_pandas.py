"""Pages' answers by DuckDB beside the same answers by pandas over Parquet, as ratios of one run.

`python -m tests.bench.dashboards.against_pandas [CHALLENGES] [STORE]`. pandas reads no more columns
than it needs, each file by all cores; both answers must be equal.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.gates.block_sums import stage_gates
from analytics.gates.mean_gates import staged_means
from analytics.lives.kept_order import restore_order
from analytics.lives.order_file import order_of
from analytics.queries.overview import overview
from analytics.standings.leaderboard import leaderboard
from analytics.warehouse.connection import reading
from data.store import Store
from data.terminal import print_json
from tests.bench.dashboards.million_challenges import RUN
from tests.bench.dashboards.page_queries import CHALLENGES, made

_RELATIONS = ("media", "responses", "replay_predictions", "replay_gates", "rejects")


def main() -> None:
    """Print a line of JSON an answer."""
    challenges = int(sys.argv[1]) if len(sys.argv) > 1 else CHALLENGES
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(sys.argv[2] if len(sys.argv) > 2 else folder))
        made(store.root, challenges)
        files = _written(store, Path(folder))
        with reading(store) as connection:
            order_of(store, connection)  # as `ingest` leaves a store
        for name, ours, theirs in (
            ("overview", _overview, _pandas_overview),
            ("every miner's MCC", _miners, _pandas_miners),
            ("mean share of each view", _gates, _pandas_gates),
        ):
            seconds, answer = _timed(lambda ask=ours: ask(store))  # type: ignore[misc]
            pandas_seconds, pandas_answer = _timed(lambda ask=theirs: ask(files))  # type: ignore[misc]
            _check_equal(answer, pandas_answer)
            print_json(
                {
                    "answer": name,
                    "duckdb_s": round(seconds, 2),
                    "pandas_s": round(pandas_seconds, 2),
                    "times": round(pandas_seconds / seconds, 1),
                }
            )


def _written(store: Store, folder: Path) -> dict[str, Path]:
    """The relations as Parquet files."""
    import duckdb  # noqa: PLC0415

    files = {name: folder / f"{name}.parquet" for name in _RELATIONS}
    with duckdb.connect(str(store.warehouse), read_only=True) as connection:
        for name, file in files.items():
            connection.sql(f"FROM {name}").write_parquet(str(file))
    return files


def _timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    answer = ask()
    return time.perf_counter() - begun, answer


def _check_equal(answer: dict[Any, float], other: dict[Any, float]) -> None:
    assert answer.keys() == other.keys()
    values, others = (np.array([one[key] for key in answer]) for one in (answer, other))
    np.testing.assert_allclose(values, others, atol=1e-9)


def _overview(store: Store) -> dict[Any, float]:
    with reading(store) as connection:
        found = overview(connection)
    totals = found.totals
    return {
        "challenges": totals.challenges,
        "responses": totals.responses,
        "unanswered": totals.unanswered,
        "miners": totals.miners,
        "files": totals.files,
        **{f"era {one.era}": one.challenges for one in found.eras},
        **{f"label {one.label}": one.challenges for one in found.labels},
        **{f"source {one.source}": one.challenges for one in found.sources},
        **{f"level {one.level}": one.challenges for one in found.levels},
    }


def _pandas_overview(files: dict[str, Path]) -> dict[Any, float]:
    columns = ["era", "label", "source", "aug_level", "file", "time"]
    media = pd.read_parquet(files["media"], columns=columns)
    answers = pd.read_parquet(files["responses"], columns=["uid", "hotkey", "prediction"])
    return {
        "challenges": len(media),
        "responses": len(answers),
        "unanswered": int((answers["prediction"] == -1).sum()),
        "miners": len(answers[["uid", "hotkey"]].drop_duplicates()),
        "files": media["file"].nunique(),
        **{f"era {value}": n for value, n in media["era"].value_counts().items()},
        **{f"label {value}": n for value, n in media["label"].value_counts().items()},
        **{f"source {value}": n for value, n in media["source"].value_counts().items()},
        **{f"level {value}": n for value, n in media["aug_level"].value_counts().items()},
    }


def _miners(store: Store) -> dict[Any, float]:
    with reading(store) as connection:
        restore_order(connection, order_of(store, connection))
        return {
            (one.miner.uid, one.miner.hotkey): one.mcc or 0.0
            for one in leaderboard(connection)
            if one.n
        }


def _pandas_miners(files: dict[str, Path]) -> dict[Any, float]:
    labels = pd.read_parquet(files["media"], columns=["challenge_id", "label"])
    columns = ["challenge_id", "uid", "hotkey", "prediction"]
    answers = pd.read_parquet(files["responses"], columns=columns)
    used = answers[answers["prediction"].notna() & (answers["prediction"] != -1)]
    used = used.merge(labels, on="challenge_id")
    positive, label = used["prediction"].round() == 1, used["label"] == 1
    used = used.assign(tp=positive & label, fp=positive & ~label, fn=~positive & label)
    used["tn"] = ~positive & ~label
    counts = used.groupby(["uid", "hotkey"])[["tp", "fp", "fn", "tn"]].sum().astype(float)
    tp, fp, fn, tn = (counts[name] for name in ("tp", "fp", "fn", "tn"))
    root = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return dict(((tp * tn - fp * fn) / root).where(root > 0, 0.0))


def _gates(store: Store) -> dict[Any, float]:
    with reading(store) as connection:
        stage_gates(connection, RUN)
        found = staged_means(connection, RUN)
    return {
        (side, one.view): getattr(one, side) or 0.0
        for one in found.views
        for side in ("right", "wrong")
    }


def _pandas_gates(files: dict[str, Path]) -> dict[Any, float]:
    labels = pd.read_parquet(files["media"], columns=["challenge_id", "label"])
    answers = pd.read_parquet(files["replay_predictions"], columns=["challenge_id", "probability"])
    gates = pd.read_parquet(files["replay_gates"], columns=["challenge_id", "view", "share"])
    answers = answers.dropna().merge(labels, on="challenge_id")
    answers["side"] = np.where(answers["probability"].round() == answers["label"], "right", "wrong")
    joined = gates.merge(answers[["challenge_id", "side"]], on="challenge_id")
    return dict(joined.groupby(["side", "view"])["share"].mean())


if __name__ == "__main__":
    main()
