"""Download runs from W&B's service into folders that are read as logs, and go on where it stopped.

A run's folder has the form of one that a person downloaded: `media/html`, `config.yaml`,
`wandb-summary.json`, and beside them `run.json` (which run it is, and which of its media files were
left out) and `history.jsonl` (whole rows).
What is whole on disk is not asked for again: of a run that did not change nothing, of one that grew
its new steps and files.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from data.atomic_files import make_folder, write_atomic, write_error
from data.file_lock import locked
from data.logs.history_rows import HistoryRow, read_history_rows
from data.logs.run_folder import CONFIG, DESCRIPTION, HISTORY, LEFT_OUT, MEDIA, SUMMARY
from data.progress import Progress, no_report, silent
from data.text import printable
from data.wandb_service.address import ServiceAddress
from data.wandb_service.client import ServiceRun, service_runs
from data.wandb_service.errors import in_one_line
from data.wandb_service.history_file import append_rows, last_row
from data.wandb_service.media_files import LeftOut, download_media
from data.wandb_service.silence import each_noted, telling_of_silence

_RUNNING = ("running", "pending")
_SECONDS_TO_WAIT = 1
# Of files that were left out so many are written down by name.
_NAMED = 1000


def download_runs(
    address: ServiceAddress,
    folder: Path,
    progress: Progress = silent,
    on_run: Callable[[str], object] = no_report,
) -> list[Path]:
    """Download a run, or all runs of a project, as far as they are not on disk yet.

    Args:
        address: of the run or the project.
        folder: of all downloads; a run's is `ENTITY/PROJECT/RUN` in it.
        progress: of the media files of each run.
        on_run: called with a line about each run, about what of it is left out, and where the
            service does not answer for a while.

    Returns:
        The folders of the runs that logged something, also of those that were on disk already.

    Raises:
        LogError: no account, nothing of that name, no answer, or a file that is not whole. What was
            downloaded is kept.
        RunError: another process downloads.
        WriteError: the disk is full, or the folder may not be written.
    """
    what = f"downloads into {folder}"
    with (
        locked(folder / ".lock", what, found="another process at it", seconds=_SECONDS_TO_WAIT),
        telling_of_silence(address, on_run) as something_came,
    ):
        folders = [
            _download(run, folder / run.address.folder, progress, on_run, something_came)
            for run in each_noted(service_runs(address, on_run), something_came)
        ]
    return [path for path in folders if path is not None]


def _download(
    run: ServiceRun,
    folder: Path,
    progress: Progress,
    on_run: Callable[[str], object],
    something_came: Callable[[], object],
) -> Path | None:
    """Bring a run's folder up to date; None for a run without a challenge."""
    before = _description(folder)
    found = {key: before.get(key) for key in ("challenges", LEFT_OUT, "left_out_count")}
    if before.get("whole") and before == _described(run, whole=True) | found:
        on_run(f"{run.address}: whole on disk")
        return folder if before["challenges"] else None
    try:
        make_folder(folder / MEDIA)
        _write_json(folder / DESCRIPTION, _described(run, whole=False))
        with in_one_line(run.address):
            config = {key: {"value": value} for key, value in run.config().items()}
            write_atomic(folder / CONFIG, yaml.safe_dump(config).encode())
            _write_json(folder / SUMMARY, run.summary())
            _download_history(run, folder / HISTORY, on_run, something_came)
            left_out = _download_media(run, folder, progress, something_came)
        reasons = left_out.too_large | left_out.refused
        if reasons:
            on_run(f"{run.address}: {_told(reasons)}")
        challenges = bool(reasons) or _holds_challenges(folder)
        # what a run that goes on logs in the meantime is for the next time, as are refused files
        described = _described(run, whole=run.state not in _RUNNING and not left_out.refused)
        _write_json(
            folder / DESCRIPTION,
            described
            | {
                "challenges": challenges,
                LEFT_OUT: dict(sorted(reasons.items())[:_NAMED]),
                "left_out_count": len(reasons),
            },
        )
    except OSError as error:
        raise write_error(folder, error) from error
    return folder if challenges else None


def _holds_challenges(folder: Path) -> bool:
    """True if a run logged a challenge; what generates images logs into the same project."""
    if any((folder / MEDIA).iterdir()):
        return True
    rows = read_history_rows(folder / HISTORY, "", "")
    return any(isinstance(row, HistoryRow) and (row.values or row.has_media) for row in rows)


def _download_history(
    run: ServiceRun,
    file: Path,
    on_run: Callable[[str], object],
    something_came: Callable[[], object],
) -> None:
    """Append the rows that are not on disk; the last one there may have grown, and is replaced."""
    step, start = last_row(file)
    last = run.last_step()
    on_run(f"{run.address}: history from step {max(step, 0)} to {last}")
    append_rows(file, each_noted(run.history(max(step, 0)), something_came), start)
    if not file.exists():
        write_atomic(file, b"")


def _download_media(
    run: ServiceRun, folder: Path, progress: Progress, something_came: Callable[[], object]
) -> LeftOut:
    steps = last_row(folder / HISTORY)[0] + 1
    on_disk = sum(1 for _ in (folder / MEDIA).iterdir())
    with progress(f"media of {run.address}", max(steps - on_disk, 0)) as report:

        def done() -> None:
            something_came()
            report()

        return download_media(each_noted(run.media(), something_came), folder / MEDIA, done)


def _told(reasons: dict[str, str]) -> str:
    """How many media files were not downloaded, and why the first of them was not."""
    name = min(reasons)
    files = "1 media file" if len(reasons) == 1 else f"{len(reasons)} media files"
    return f"{files} not downloaded, such as {printable(name)}: {reasons[name]}"


def _described(run: ServiceRun, *, whole: bool) -> dict[str, Any]:
    """What `run.json` says of a run as it is on the service."""
    return {
        "entity": run.address.entity,
        "project": run.address.project,
        "id": run.address.run,
        "name": run.name,
        "state": run.state,
        "created_at": run.created,
        "heartbeat_at": run.heartbeat,
        "whole": whole,
    }


def _description(folder: Path) -> dict[str, Any]:
    """The `run.json` of a folder; empty where there is none."""
    try:
        described = json.loads((folder / DESCRIPTION).read_bytes())
    except (OSError, ValueError):
        return {}
    return described if isinstance(described, dict) else {}


def _write_json(file: Path, value: dict[str, Any]) -> None:
    write_atomic(file, json.dumps(value, indent=1).encode() + b"\n")
