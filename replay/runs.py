"""A replay as a folder: `run.json`, and Parquet parts written atomically as it goes.

The run id is a hash of all that determines the answers. So the same replay again is the same run:
an interrupted one goes on where it stopped, a finished one is not done twice.
"""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import RunError
from data.sources import Shards
from data.store import Store
from data.whole_files import write_whole, written_aside
from replay.image_keys import REPLAY_VERSION, packages
from replay.plan import Planned
from replay.predictor import Predictor
from replay.settings import ReplaySettings
from replay.trained_on import keep_training_rows

_ID_DIGITS = 12

PART_SCHEMA = pa.schema(
    [
        ("challenge_id", pa.string()),
        ("fidelity", pa.string()),
        ("reason", pa.string()),
        ("variant", pa.int16()),
        ("weight", pa.float64()),
        ("noisy", pa.bool_()),
        ("probability", pa.float64()),
        ("gates", pa.list_(pa.float32())),
    ]
)


@dataclass(frozen=True)
class RunFolder:
    """A replay's folder and its id."""

    run_id: str
    path: Path

    def part(self, index: int) -> Path:
        """The file of one part."""
        return self.path / "parts" / f"part-{index:05d}.parquet"

    def write_part(self, index: int, rows: Sequence[dict[str, Any]]) -> None:
        """Write a part whole or not at all."""
        table = pa.Table.from_pylist(list(rows), schema=PART_SCHEMA)
        with written_aside(self.part(index)) as aside:
            pq.write_table(table, aside)

    def has_part(self, index: int) -> bool:
        """True if a part was written whole; one that a power failure emptied was not."""
        try:
            pq.ParquetFile(self.part(index))
        except (OSError, pa.ArrowInvalid):
            return False
        return True

    def read_part(self, index: int) -> list[dict[str, Any]]:
        """The rows of a part that was written."""
        # Not through the dataset reader: it would take the folder's name for a partition.
        rows: list[dict[str, Any]] = pq.ParquetFile(self.part(index)).read().to_pylist()
        return rows

    def described(self) -> dict[str, Any]:
        """What `run.json` says."""
        described: dict[str, Any] = json.loads((self.path / "run.json").read_text("utf-8"))
        return described


def open_run(
    store: Store,
    predictor: Predictor,
    planned: Sequence[Planned],
    shards: Shards,
    settings: ReplaySettings,
) -> RunFolder:
    """Make, or find again, the folder of a replay; it keeps the candidate's training rows.

    They are no part of the run id: no answer depends on them, and the weights are in it.

    Raises:
        RunError: the folder cannot be written, or what the candidate names is no path.
        SourceError: the candidate's file of training rows cannot be read.
    """
    decisive = _decisive(predictor, planned, shards, settings)
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:_ID_DIGITS]
    run = RunFolder(f"replay-{digest}", store.runs / f"replay-{digest}")
    try:
        (run.path / "parts").mkdir(parents=True, exist_ok=True)
        described = {"run_id": run.run_id, **decisive, "made_by": _provenance()}
        if not (run.path / "run.json").exists():
            text = json.dumps(described, indent=2) + "\n"
            write_whole(run.path / "run.json", text.encode())
        keep_training_rows(predictor, run.path)
    except OSError as error:
        raise RunError(str(run.path), found=error.strerror, expected="a writable store") from None
    return run


def _decisive(
    predictor: Predictor, planned: Sequence[Planned], shards: Shards, settings: ReplaySettings
) -> dict[str, Any]:
    plan = hashlib.sha256()
    for item in planned:
        drawn = " ".join(f"{one.index}:{one.weight!r}" for one in item.drawn)
        plan.update(f"{item.challenge.challenge_id} {drawn} {item.reason}\n".encode())
    used = {
        (p.challenge.parquet, p.challenge.row)
        for p in planned
        if p.drawn and p.challenge.parquet is not None and p.challenge.row is not None
    }
    return {
        "replay_version": REPLAY_VERSION,
        "model": predictor.name,
        "model_fingerprint": predictor.fingerprint,
        "uses_metadata": predictor.wants_metadata,
        "challenges": len(planned),
        "plan_sha256": plan.hexdigest(),
        "sources": shards.fingerprints(used),
        "settings": asdict(settings),
        "packages": packages(),
    }


def _provenance() -> dict[str, Any]:
    """Which code ran; None where this is no git checkout."""
    commit = _git("rev-parse", "HEAD")
    return {
        "streetreplay": version("streetreplay"),
        "git_commit": commit or None,
        "git_dirty": None if commit is None else bool(_git("status", "--porcelain")),
    }


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  (words are this module's own)
            ["git", *words],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
