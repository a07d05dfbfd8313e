"""Where metrics go beside the run's folder: TensorBoard's files, or W&B by its own client."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration

from data.errors import RunError
from model.optimization.settings import Tracker
from model.training.run_folder import TrainingRun, flat_settings

_PROJECT = "streetreplay"


def tracking(tracker: Tracker, folder: Path) -> dict[str, Any]:
    """Options of an accelerator that logs to a tracker below a folder; none for `none`."""
    if tracker == "none":
        return {}
    project = ProjectConfiguration(project_dir=str(folder), logging_dir=str(folder))
    return {"log_with": tracker, "project_config": project}


def start_trackers(accelerator: Accelerator, run: TrainingRun) -> None:
    """Begin to log to the trackers of `tracking`, in a training's folder.

    A training that goes on logs to the same W&B run.

    Raises:
        RunError: there is no login, no connection, or no room for files.
    """
    if not accelerator.log_with:
        return
    accelerator.project_configuration.set_directories(str(run.path))
    accelerator.project_configuration.logging_dir = str(run.path)
    config = {
        name: value if isinstance(value, int | float | str | bool) else str(value)
        for name, value in flat_settings(run.settings["config"]).items()
    }
    wandb = {"id": run.run_id, "resume": "allow", "dir": str(run.path)}
    try:
        accelerator.init_trackers(_PROJECT, config, {"wandb": wandb})
    except Exception as error:
        tracker = run.settings["config"]["training"]["tracker"]
        raise RunError(
            f"--tracker {tracker}",
            found=_words(error),
            expected="a tracker that can be written to",
            remedy="for W&B log in (wandb login) or set WANDB_MODE=offline, or leave it out",
        ) from error


def log_metrics(
    accelerator: Accelerator, values: dict[str, float], step: int, note: Callable[[str], None]
) -> None:
    """Log an epoch's metrics; a tracker that fails is left out from then on, and that is said."""
    try:
        accelerator.log(values, step=step)
    except Exception as error:  # noqa: BLE001  no training is lost for what `metrics.jsonl` has
        note(f"the tracker failed ({_words(error)}): the training goes on without it")
        accelerator.trackers = []


def finish_trackers(accelerator: Accelerator) -> None:
    """End the logs of `start_trackers`, so that it can begin those of another training."""
    for tracker in accelerator.trackers:
        with suppress(Exception):  # all that it was told is in `metrics.jsonl` too
            tracker.finish()
    # accelerate would start them again beside new ones
    accelerator.trackers = []


def _words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
