"""W&B's own client, as far as runs are read with it: what they are, their history, their files.

Only whole rows are asked for: `history()` gives a sample, and `scan_history(keys=...)` only the
rows that hold every key, so both would lose what a validator logged (DOMAIN.md section 4).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.progress import no_report
from data.text import printable
from data.wandb_service.address import ServiceAddress, is_name
from data.wandb_service.errors import in_one_line

# Seconds until an unanswered request is given up; a transfer may take as long as it takes.
_TIMEOUT = 60
_ROWS_A_PAGE = 1000
_FILES_A_PAGE = 500
_ID_SHOWN = 64
MEDIA_FOLDER = "media/html"
_MEDIA_PATTERN = f"{MEDIA_FOLDER}/metadata%"


@dataclass(frozen=True)
class ServiceFile:
    """A file of a run on the service. `name` is the service's word: look at it before use."""

    name: str
    size: int
    md5: str | None
    _file: Any

    def download(self, folder: Path) -> None:
        """Download it to its name below a folder.

        Raises:
            wandb.Error: it cannot be downloaded whole.
        """
        self._file.download(str(folder), replace=True).close()


@dataclass(frozen=True)
class ServiceRun:
    """A run on the service: its address, and what its project's list says of it.

    `heartbeat` changes whenever something is added to the run, also once it was finished and is
    resumed.
    """

    address: ServiceAddress
    name: str | None
    state: str
    created: str | None
    heartbeat: str | None
    _run: Any

    def config(self) -> dict[str, Any]:
        """The operator's settings."""
        return dict(self._run.config)

    def summary(self) -> dict[str, Any]:
        """The last value of every key."""
        return dict(self._run.summary_metrics)

    def history(self, first_step: int) -> Iterator[dict[str, Any]]:
        """Whole rows in order of their steps, one a step, from a step on."""
        # what was read before lies in the run's folder: the client's own cache would keep it twice
        rows = self._run.scan_history(page_size=_ROWS_A_PAGE, min_step=first_step, use_cache=False)
        return _one_a_step(rows)

    def last_step(self) -> int:
        """The last step of the history, -1 without any."""
        return int(self._run.lastHistoryStep)

    def media(self) -> Iterator[ServiceFile]:
        """What it logged as media named `metadata`, page by page."""
        files = self._run.files(pattern=_MEDIA_PATTERN, per_page=_FILES_A_PAGE)
        for number, file in enumerate(files):
            files.objects[number] = None  # else the client would hold all of a year's
            yield ServiceFile(str(file.name), file.size, getattr(file, "md5", None), file)


def service_runs(
    address: ServiceAddress, on_left_out: Callable[[str], object] = no_report
) -> Iterator[ServiceRun]:
    """The run of an address, or all runs of its project, first the oldest.

    A run whose id could be no name of a folder is left out.

    Args:
        address: of the run or the project.
        on_left_out: called with a line about each run that is left out.

    Raises:
        LogError: without an account, a project or run of that name, or an answer.
    """
    with in_one_line(address):
        import wandb  # noqa: PLC0415

        api = wandb.Api(timeout=_TIMEOUT)
        path = f"{address.entity}/{address.project}"
        runs = api.runs(path) if address.run is None else [api.run(f"{path}/{address.run}")]
        for run in runs:
            if not is_name(run.id):
                shown = printable(str(run.id), _ID_SHOWN)
                on_left_out(f"{address}: run '{shown}' left out: no folder may have its id as name")
            else:
                yield ServiceRun(
                    ServiceAddress(address.entity, address.project, run.id),
                    run.name,
                    str(run.state),
                    getattr(run, "created_at", None),
                    getattr(run, "heartbeat_at", None),
                    run,
                )


def _one_a_step(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows without keys that hold nothing, and those of one step as one.

    A row that the service has exported as Parquet has the keys of all rows; where a page holds some
    that are exported and some that are not, the client gives the former twice.
    """
    whole: dict[str, Any] = {}
    for row in rows:
        known = {key: value for key, value in row.items() if value is not None}
        if whole and known.get("_step") != whole.get("_step"):
            yield whole
            whole = {}
        whole |= known
    if whole:
        yield whole
