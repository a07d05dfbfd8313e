"""Answers parts of a replay wherever it is started: on this machine, or on a node of a cluster.

It is sent names, seeds and planned challenges, and returns Parquet; no pixel leaves it.
"""

import os
import platform
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from data.cluster.environment import environment
from data.errors import SourceError
from data.machine.processor import processor
from data.sources.shards import open_shards
from replay.answering.image_workers import image_builder
from replay.answering.part_predictor import PartPredictor
from replay.answering.part_work import PartWork
from replay.candidates.description import CandidateDescription, describe
from replay.candidates.registry import LoadSettings, load
from replay.rebuilding.image_keys import PACKAGES, ImageKeys
from replay.settings import Arithmetic


@dataclass(frozen=True)
class WorkerSettings:
    """All that a worker is started with.

    `candidate` and `load` say what it loads; `sources` is the folder or URL of the source images;
    `working_folder` is where the person stands who asked, which relative names start from; `seed`
    and `arithmetic` are of the images; `processes` rebuild them, none besides the worker for 1.
    """

    candidate: str
    load: LoadSettings
    sources: str
    working_folder: str
    seed: int
    arithmetic: Arithmetic
    processes: int = 1


# What plans, reads sources, rebuilds and answers.
_CODE = ("analytics", "data", "model", "replay")


def replay_environment() -> dict[str, str]:
    """What has to be the same in every process that answers parts of one run."""
    # numba compiles the loops that read and resize
    return environment(_CODE, (*PACKAGES, "numba"))


@dataclass(frozen=True)
class WorkerDescription:
    """Where a worker runs and what it holds, without the candidate's training rows."""

    host: str
    processor: Mapping[str, str | None]
    environment: Mapping[str, str]
    candidate: CandidateDescription


class PartWorker:
    """A loaded candidate with its source images; threads may call it, and ask one at a time."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Load the candidate and look at the sources.

        Raises:
            RunError: the candidate is not on this machine, or cannot be loaded.
            SourceError: the folder of sources is not on this machine.
        """
        if Path(settings.working_folder).is_dir():
            os.chdir(settings.working_folder)
        self._predictor = load(settings.candidate, settings.load)
        self._shards = open_shards(settings.sources)
        keys = ImageKeys(self._shards, settings.seed, settings.arithmetic)
        self._part_predictor = PartPredictor(self._predictor, keys)
        self._open = ExitStack()
        self._build = self._open.enter_context(
            image_builder(self._shards, settings.seed, settings.processes, settings.arithmetic)
        )
        # of its own: one thread checks while another's part is read
        self._checked_shards = open_shards(settings.sources)
        self._asking, self._checking = Lock(), Lock()

    def description(self) -> WorkerDescription:
        """Describe this worker."""
        return WorkerDescription(
            platform.node(),
            processor(),
            replay_environment(),
            describe(self._predictor, with_rows=False),
        )

    def candidate(self) -> CandidateDescription:
        """Describe the candidate, with the rows that it was trained on."""
        return describe(self._predictor)

    def answer(self, work: PartWork, sources: Mapping[str, str]) -> bytes:
        """Answer what is left of a part.

        Args:
            work: the challenges.
            sources: fingerprints of what the part is rebuilt from, as the process has them that
                planned.

        Returns:
            A Parquet file of `part_file.PART_SCHEMA`.

        Raises:
            SourceError: a source is not here, or another one.
            RunError: the candidate failed.
        """
        with self._checking:
            self._check_sources(work, sources)
            part = self._part_predictor.prepare(work, self._build)
        # while another thread's part is asked about
        part.build_ahead()
        with self._asking:
            begun = self._part_predictor.begin(part)
        # while another thread's part is begun with
        return begun.answer().parquet

    def _check_sources(self, work: PartWork, sources: Mapping[str, str]) -> None:
        """Refuse sources that are not those of the plan: this node's images would be others.

        Raises:
            SourceError: one is missing, or another one.
        """
        try:
            here = self._checked_shards.fingerprints(source_rows(work))
        except KeyError as error:
            raise self._source_error(f"no {error.args[0]}") from None
        for name in sorted({*here, *sources}):
            if here.get(name) != sources.get(name):
                raise self._source_error(f"another {name}" if name in sources else f"{name}, too")

    def _source_error(self, problem: str) -> SourceError:
        return SourceError(
            f"sources in {self._shards.folder}",
            found=problem,
            expected="those of the plan",
            remedy="put the same files on every node, or into a folder that all share",
        )


def source_rows(work: PartWork) -> set[tuple[str, int]]:
    """The (shard, row) that a part's images are rebuilt from."""
    return {
        (item.challenge.parquet or "", item.challenge.row or 0)
        for item in work.challenges
        if item.variants
    }
