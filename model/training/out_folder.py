"""The folder of a training's checkpoint: what may stand there before, and what does after."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from data.errors import RunError
from data.store import Store
from model.checkpoint.card import CARD, read_card
from model.checkpoint.unfinished import mark_finished, mark_unfinished, unfinished_run
from model.training.run_folder import TrainingRun, setting_differences

_SHOWN = 3

Report = TypeVar("Report")


def finished_outcome(
    out: Path, run: TrainingRun, read: Callable[[dict[str, Any], str], Report]
) -> Report | None:
    """The report of this training, if `out` holds its checkpoint and it came to its end.

    Args:
        out: the checkpoint's folder.
        run: of the training.
        read: makes the report of the outcome in `run.json` and the folder's name; may raise
            TypeError or KeyError.
    """
    outcome = run.outcome()
    if outcome is None or unfinished_run(out) is not None or _training_of(out) != run.run_id:
        return None
    try:
        report = read(outcome, str(out))
    except (TypeError, KeyError):
        return None
    run.clean_up()  # where a kill came between the outcome and this
    return report


def begin_training(
    out: Path,
    run: TrainingRun,
    store: Store,
    tables: Mapping[str, Any],
    split: pl.DataFrame,
    *,
    replace_checkpoint: bool,
) -> None:
    """Check the checkpoint's folder, and write what is known before the first epoch.

    Args:
        out: the checkpoint's folder, which is marked as unfinished.
        run: of the training.
        store: has the runs of other trainings.
        tables: the settings of each stage.
        split: which row is in which part.
        replace_checkpoint: of another training, where `out` holds one.

    Raises:
        RunError: as `check_out`.
        WriteError: a folder cannot be written.
    """
    check_out(out, run, store, replace_checkpoint=replace_checkpoint)
    run.begin(tables, split)
    mark_unfinished(out, run.run_id, f"its run is in {run.path.name}")


def check_still_marked(out: Path, run: TrainingRun) -> None:
    """Refuse to write a checkpoint into a folder that another training has taken meanwhile.

    Raises:
        RunError: the folder's mark is not this training's.
    """
    marked = unfinished_run(out)
    if marked != run.run_id:
        raise RunError(
            f"--out {out}",
            found="no mark of this training" if marked is None else f"the mark of {marked}",
            expected=f"that of {run.run_id}: another training has taken the folder",
            remedy="start the same again with another --out: nothing is trained twice",
        )


def finish_training(out: Path, run: TrainingRun, outcome: Mapping[str, Any]) -> None:
    """Say that a training is done, whose checkpoint is in `out`.

    Raises:
        WriteError: a folder cannot be written.
    """
    mark_finished(out)
    # whatever a kill leaves undone here, the same training does when it is started again
    run.finish(outcome)


def check_out(out: Path, run: TrainingRun, store: Store, *, replace_checkpoint: bool) -> None:
    """Refuse a folder that holds something else than this training's own.

    Raises:
        RunError: another training's checkpoint, finished or not, that is not to be replaced; or a
            file.
    """
    if out.exists() and not out.is_dir():
        raise RunError(f"--out {out}", found="a file", expected="a folder")
    if replace_checkpoint:
        return
    unfinished = unfinished_run(out)
    if unfinished not in (None, run.run_id):
        differing = setting_differences(run, str(unfinished), store)
        words = f", which differs in {'; '.join(differing[:_SHOWN])}" if differing else ""
        raise RunError(
            f"--out {out}",
            found=f"an unfinished training of other settings or data ({unfinished}{words})",
            expected="an empty folder, or this training's own",
            remedy="start it with the same settings, name another folder, or --replace it",
        )
    other = _training_of(out)
    if unfinished is None and other not in (None, run.run_id):
        raise RunError(
            f"--out {out}",
            found=f"another checkpoint (training {other})",
            expected="an empty folder, or this training's own",
            remedy="name another folder, or --replace it",
        )


def _training_of(out: Path) -> str | None:
    """The run id of the training whose checkpoint is in a folder; None if there is none."""
    if not (out / CARD).is_file():
        return None
    try:
        return str(read_card(out).training.get("run_id", "unknown"))
    except RunError:
        return "unreadable"
