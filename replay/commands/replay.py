"""The command `replay`: a candidate answers challenges; torch is imported only when it runs."""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.cluster.options import LOCAL, WorkerCpusOption, check_cluster_options
from data.machine.processes import cores
from data.remote_store.opening import open_store
from data.store import Store
from data.terminal import (
    JsonOption,
    SourcesOption,
    StoreOption,
    duration,
    note,
    print_json,
    print_table,
    say,
)
from data.terminal_progress import progress
from replay.commands.options import (
    DEFAULT_VARIANTS,
    ArithmeticOption,
    EraOption,
    LevelOption,
    LimitOption,
    MinerOption,
    SampleOption,
    SeedOption,
    SinceOption,
    UntilOption,
    VariantsOption,
    variant_settings,
)
from replay.commands.replay_options import (
    BatchSizeOption,
    FreshOption,
    MetadataOption,
    ModelOption,
    OnOption,
    WorkerGpusOption,
    WorkersOption,
)
from replay.settings import Arithmetic, ReplaySettings, VariantSettings, inputs_name

if TYPE_CHECKING:
    from analytics.queries.challenges import ChallengeSelection
    from data.sources.shards import Shards
    from replay.plans.plan import Plan
    from replay.runs.open_run import OpenRun
    from replay.runs.planned_run import PlannedRun
    from replay.runs.publish import ReplayReport

app = typer.Typer()


@app.command(epilog="Example: streetreplay replay --model orange --era E7 --sample 500")
def replay(
    model: ModelOption,
    metadata: MetadataOption = False,
    batch_size: BatchSizeOption = 1,
    era: EraOption = None,
    level: LevelOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    miner: MinerOption = None,
    validator: ValidatorOption = None,
    log_run: LogRunOption = None,
    sample: SampleOption = None,
    limit: LimitOption = None,
    variants: VariantsOption = DEFAULT_VARIANTS,
    seed: SeedOption = 0,
    arithmetic: ArithmeticOption = Arithmetic.AVX2,
    workers: WorkersOption = None,
    where: OnOption = LOCAL,
    worker_cpus: WorkerCpusOption = None,
    worker_gpus: WorkerGpusOption = None,
    fresh: FreshOption = False,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a candidate answer every challenge that can be rebuilt, and publish its answers.

    The run id is a hash of candidate, challenges and sources: an interrupted replay goes on where
    it stopped, and images that could not be rebuilt are retried. Candidates see the image alone, as
    miners do, unless --metadata says otherwise; of levels 2 and 3 they see several possible images,
    and the answer is the mean over them.
    """
    check_cluster_options(where, worker_cpus=worker_cpus, worker_gpus=worker_gpus)
    from analytics.queries.challenges import ChallengeSelection  # noqa: PLC0415

    selection = ChallengeSelection(
        eras=tuple(era or ()),
        levels=tuple(level or ()),
        since=since,
        until=until,
        miner=miner,
        validator=validator,
        run=log_run,
        sample=sample,
        seed=seed,
        limit=limit,
    )
    request = _ReplayRequest(
        model=model,
        metadata=metadata,
        batch_size=batch_size,
        selection=selection,
        variants=variant_settings(variants, seed),
        settings=ReplaySettings(seed=seed, arithmetic=arithmetic),
        workers=_WorkersAsked(workers, worker_cpus or 1, worker_gpus),
        fresh=fresh,
    )
    run = _replay_here if where == LOCAL else partial(_replay_on_ray, where)
    report = run(open_store(store), sources, request)
    (_print_json if as_json else _print_report)(report)


@dataclass(frozen=True)
class _WorkersAsked:
    """`count` None leaves it to the forecast or cluster; `cpus` and `gpus` of each on a cluster."""

    count: int | None
    cpus: int
    gpus: int | None


@dataclass(frozen=True)
class _ReplayRequest:
    """What the options ask for."""

    model: str
    metadata: bool
    batch_size: int
    selection: "ChallengeSelection"
    variants: VariantSettings
    settings: ReplaySettings
    workers: _WorkersAsked
    fresh: bool

    def planned_run(self, plan: "Plan", shards: "Shards", **asked: object) -> "PlannedRun":
        """The run of a plan; `asked` is what else its `run.json` says of how it was asked for."""
        from replay.runs.planned_run import PlannedRun  # noqa: PLC0415

        said = {
            "model": self.model,
            "metadata": self.metadata,
            "batch_size": self.batch_size,
            "selection": asdict(self.selection),
            "variants": asdict(self.variants),
        }
        return PlannedRun(plan, shards, self.settings, said | asked, self.fresh)


def _replay_here(store: Store, sources: str | None, request: _ReplayRequest) -> "ReplayReport":
    """Load the candidate, plan, say what will be done, and do it."""
    from replay.candidates.registry import LoadSettings, load  # noqa: PLC0415
    from replay.plans.store_plan import plan_of_store  # noqa: PLC0415

    predictor = load(request.model, LoadSettings(store, request.metadata, request.batch_size))
    plan, shards = plan_of_store(store, sources, request.selection, request.variants, ordered=False)
    from replay.runs.run import Replay  # noqa: PLC0415

    planned = request.planned_run(plan, shards, sources=str(shards.folder))
    replay = Replay(store, predictor, planned)
    _announce(replay.opened, predictor.name)
    forecast = replay.forecast()
    workers = request.workers.count or forecast.workers(cores())
    processes = "in this process" if workers == 1 else f"with {workers} processes rebuilding"
    note(
        f"{forecast.images} images to rebuild and show it: "
        f"{duration(forecast.seconds(workers))} {processes}"
    )
    with progress("replaying", len(plan)) as on_progress:
        return replay.run(workers, on_progress)


def _replay_on_ray(
    address: str, store: Store, sources: str | None, request: _ReplayRequest
) -> "ReplayReport":
    """The same by workers on a Ray cluster, which load the candidate while this process plans."""
    from data.cluster.ray_cluster import ray_cluster  # noqa: PLC0415
    from data.sources.source_path import source_folder  # noqa: PLC0415
    from replay.candidates.registry import LoadSettings, name_on_nodes  # noqa: PLC0415
    from replay.cluster.part_workers import part_workers  # noqa: PLC0415
    from replay.cluster.worker import WorkerSettings  # noqa: PLC0415
    from replay.plans.store_plan import plan_of_store  # noqa: PLC0415
    from replay.runs.open_run import OpenRun  # noqa: PLC0415

    folder = store.sources_place if sources is None else source_folder(sources)
    settings = WorkerSettings(
        candidate=name_on_nodes(request.model, store),
        load=LoadSettings(metadata=request.metadata, batch_size=request.batch_size),
        sources=str(folder.absolute() if isinstance(folder, Path) else folder),
        working_folder=str(Path.cwd()),
        seed=request.settings.seed,
        arithmetic=request.settings.arithmetic,
    )
    with ray_cluster(address) as cluster:
        resources = cluster.worker_resources(request.workers.cpus, request.workers.gpus)
        count = request.workers.count or cluster.worker_count(resources)
        note(cluster.described(resources, count))
        with part_workers(cluster, settings, resources, count) as workers:
            plan, shards = plan_of_store(
                store, sources, request.selection, request.variants, ordered=False
            )
            (first,) = workers.started()
            candidate = workers.candidate()
            planned = request.planned_run(
                plan,
                shards,
                sources=settings.sources,
                on=address,
                workers=count,
                processor=first.processor,
            )
            with OpenRun(store, candidate, planned) as opened:
                _announce(opened, candidate.name)
                with progress("replaying", len(plan)) as on_progress:
                    answers = workers.answers(opened.work(), shards)
                    return opened.finish(answers, on_progress)


def _announce(opened: "OpenRun", model: str) -> None:
    """Say what a replay will do."""
    parts = ", ".join(f"{reason} {n}" for reason, n in opened.plan.counts().items())
    note(f"{len(opened.plan)} challenges ({parts}) for {model}")
    if opened.done_before:
        note(f"{opened.done_before} of them were done by an earlier run of the same")
    if opened.retried:
        note(f"{opened.retried} whose images could not be rebuilt are retried")


def _print_json(report: "ReplayReport") -> None:
    print_json(asdict(report))


def _print_report(report: "ReplayReport") -> None:
    inputs = inputs_name(uses_metadata=report.uses_metadata)
    say(
        f"{report.run_id}: {report.model} answered {report.predicted} of {report.selected} "
        f"challenges, {inputs}: {report.exact} "
        f"exact, {report.distributions} as the mean over possible images ({report.images} images "
        f"in all, {report.noisy} with simulated noise)"
    )
    if report.standard_error is not None:
        say(f"standard error of such a mean, on average: {report.standard_error:.3f}")
    if report.left_out:
        print_table("left out", ("reason", "challenges"), list(report.left_out.items()))
