"""A retraining as a process of its own, for the dashboards: started, seen, stopped, gone on with.

What may be asked for are values of enumerations, numbers and a policy that were all checked, so no
text of a person becomes part of a command. Each start has a folder in `models/background/`, see
`data.background.process`; `request.json` there says what was asked for.
"""

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from data.atomic_files import write_atomic
from data.background.process import BackgroundProcess, latest, start
from data.errors import RunError
from data.settings import check_settings, setting
from data.settings_file import write_settings
from data.store import Store
from model.retraining.retrain_folder import RetrainFolder, retrainings
from model.weighting.policy import WeightPolicy, read_policy
from replay.settings import VariantSettings

_STARTS = "background"
_MODULE = "streetreplay"
_REQUEST, _POLICY = "request.json", "policy.toml"
_FOLDER_NAME = re.compile(r"retrain-\d{8}T\d{6}-[0-9a-f]{6}")
_SEARCHED_BYTES = 256 * 1024


class Mode(StrEnum):
    """How far a retraining goes."""

    IF_NEEDED = "if due"
    ALWAYS = "due or not"
    DRY_RUN = "dry run"


class RowsFolder(StrEnum):
    """The folder of the store whose rows are trained on."""

    SOURCES = "sources"
    TRAINING = "training"


@dataclass(frozen=True)
class RetrainRequest:
    """What is asked of a retraining that is started from the dashboards.

    Raises:
        RunError: a value of another type, or out of its range.
    """

    mode: Mode = setting(Mode.IF_NEEDED, "How far it goes.")
    rows: RowsFolder = setting(RowsFolder.SOURCES, "The folder of the rows to train on.")
    variants: int = setting(
        VariantSettings().count or 1,
        "Possible images of a challenge of level 2 or 3 that are shown.",
        least=1,
        most=1024,
    )
    policy: WeightPolicy = field(default_factory=WeightPolicy)

    def __post_init__(self) -> None:
        check_settings(self, "retraining")


@dataclass(frozen=True)
class BackgroundRetraining:
    """A retraining that was started, what was asked for, and its folder once it is decided on."""

    process: BackgroundProcess
    request: RetrainRequest | None
    folder: RetrainFolder | None

    @property
    def step(self) -> str:
        """What it is at, or was at when it ended, by the steps that are done."""
        if self.folder is None:
            return "decide"
        return next((name for name in _STEPS if _STEPS[name] not in self.folder.steps), "end")

    @property
    def report(self) -> dict[str, Any] | None:
        """What it printed when it was done, as `retrain --json` does."""
        try:
            report = json.loads(self.process.output.read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return report if isinstance(report, dict) else None


_STEPS = {"weigh": "weights", "train": "training", "judge": "gate", "report": "outcome"}
"""What is done, by the name of the step that it leaves in `retrain.json`."""


def start_retraining(store: Store, request: RetrainRequest) -> BackgroundProcess:
    """Start it, if none that was started so is at work.

    Raises:
        RunError: one is at work, or it did not start.
        WriteError: the store cannot be written.
    """

    def arguments(folder: Path) -> list[str]:
        write_settings(folder / _POLICY, request.policy.tables)
        asked = {"mode": request.mode, "rows": request.rows, "variants": request.variants}
        write_atomic(folder / _REQUEST, json.dumps(asked).encode())
        return _arguments(store, request, folder / _POLICY)

    return start(store.models / _STARTS, _MODULE, arguments)


def resume_retraining(store: Store) -> BackgroundProcess:
    """Start the last one again: it goes on where it was cut off.

    Raises:
        RunError: there was none, its request cannot be read, or as `start_retraining`.
        WriteError: the store cannot be written.
    """
    last = last_retraining(store)
    if last is None or last.request is None:
        raise RunError(
            f"retraining of {store}",
            found="no start that can be repeated",
            expected="one",
            remedy="start a new one",
        )
    return start_retraining(store, last.request)


def last_retraining(store: Store) -> BackgroundRetraining | None:
    """The one that was started last, however it stands; None if there was none."""
    process = latest(store.models / _STARTS)
    if process is None:
        return None
    return BackgroundRetraining(process, _request(process.folder), _folder(store, process))


def _arguments(store: Store, request: RetrainRequest, policy: Path) -> list[str]:
    """Of the command `retrain`, each an argument of its own: no shell reads them."""
    rows = store.training_place if request.rows is RowsFolder.TRAINING else store.sources_place
    flags = {Mode.IF_NEEDED: ["--if-needed"], Mode.DRY_RUN: ["--dry-run"], Mode.ALWAYS: []}
    return [
        "retrain",
        f"--store={store.argument}",
        f"--rows={rows.resolve() if isinstance(rows, Path) else rows}",
        f"--policy={policy.resolve()}",
        f"--variants={request.variants}",
        *flags[request.mode],
        "--json",
    ]


def _folder(store: Store, process: BackgroundProcess) -> RetrainFolder | None:
    """The folder of which it said that it works in it, before anything that is long."""
    try:
        with process.log.open("rb") as log:
            said = log.read(_SEARCHED_BYTES).decode(errors="replace")
    except OSError:
        return None
    names = set(_FOLDER_NAME.findall(said))
    return next((folder for folder in retrainings(store) if folder.path.name in names), None)


def _request(folder: Path) -> RetrainRequest | None:
    try:
        written = json.loads((folder / _REQUEST).read_bytes())
        return RetrainRequest(
            mode=Mode(written["mode"]),
            rows=RowsFolder(written["rows"]),
            variants=written["variants"],
            policy=read_policy(folder / _POLICY),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError, RunError):
        return None
