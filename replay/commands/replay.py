"""The command `replay`: a candidate answers challenges; torch is imported only when it runs."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.machine.processes import cores
from data.store import Store, open_store
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
    WorkersOption,
    variant_settings,
)
from replay.settings import Arithmetic, ReplaySettings, VariantSettings, inputs_name

if TYPE_CHECKING:
    from analytics.queries.challenges import ChallengeSelection
    from replay.plans.plan import Plan
    from replay.runs.publish import ReplayReport
    from replay.runs.run import Replay

app = typer.Typer()

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        help="The candidate: a name such as orange, champion (the store's), a checkpoint's folder "
        "(DIR#keep=N: the backbone sees the N views of 12 that the model's scorer chooses), an "
        "export's folder, "
        "hf:NAME_OR_DIR[#LABEL] (a transformers image classifier), or module:attribute (your "
        "own Python).",
    ),
]
MetadataOption = Annotated[
    bool,
    typer.Option(
        "--metadata",
        help="Give a checkpoint the logged metadata too, in a separate run that is marked so. "
        "Miners get none, and whether a description is present reveals the label: do not report "
        "it as the main result.",
    ),
]
BatchSizeOption = Annotated[
    int,
    typer.Option(
        "--batch-size",
        metavar="N",
        min=1,
        help="Images at once through an hf: candidate: faster on a GPU. The last bits of an answer "
        "differ with N, so that another N is another run; with 1 they never depend on other "
        "images. Each batch is filled up to N, of parts of 64 challenges.",
    ),
]
FreshOption = Annotated[
    bool,
    typer.Option("--fresh", help="Start over: drop what an earlier run of the same has answered."),
]


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
        workers=workers,
        fresh=fresh,
    )
    report = _replay(open_store(store), sources, request)
    if as_json:
        print_json(asdict(report))
    else:
        _print_report(report)


@dataclass(frozen=True)
class _ReplayRequest:
    """What the options ask for; `workers` None leaves their number to the forecast."""

    model: str
    metadata: bool
    batch_size: int
    selection: "ChallengeSelection"
    variants: VariantSettings
    settings: ReplaySettings
    workers: int | None
    fresh: bool


def _replay(store: Store, sources: str | None, request: _ReplayRequest) -> "ReplayReport":
    """Load the candidate, plan, say what will be done, and do it."""
    from replay.candidates.registry import LoadSettings, load  # noqa: PLC0415
    from replay.plans.store_plan import plan_of_store  # noqa: PLC0415

    predictor = load(request.model, LoadSettings(store, request.metadata, request.batch_size))
    plan, shards = plan_of_store(store, sources, request.selection, request.variants, ordered=False)
    from replay.runs.run import Replay  # noqa: PLC0415

    asked = {
        "model": request.model,
        "metadata": request.metadata,
        "batch_size": request.batch_size,
        "selection": asdict(request.selection),
        "variants": asdict(request.variants),
        "sources": str(shards.folder),
    }
    replay = Replay(
        store, predictor, plan, shards, request.settings, asked=asked, fresh=request.fresh
    )
    workers = _announce(replay, plan, predictor.name, request.workers)
    with progress("replaying", len(plan)) as on_progress:
        return replay.run(workers, on_progress)


def _announce(replay: "Replay", plan: "Plan", model: str, workers: int | None) -> int:
    """Say what a replay will do and about how long it takes; return how many processes do it."""
    parts = ", ".join(f"{reason} {n}" for reason, n in plan.counts().items())
    note(f"{len(plan)} challenges ({parts}) for {model}")
    if replay.done_before:
        note(f"{replay.done_before} of them were done by an earlier run of the same")
    if replay.retried:
        note(f"{replay.retried} whose images could not be rebuilt are retried")
    forecast = replay.forecast()
    process_count = workers or forecast.workers(cores())
    note(
        f"{forecast.images} images to rebuild and show it: "
        f"{duration(forecast.seconds(process_count))} "
        + (
            "in this process"
            if process_count == 1
            else f"with {process_count} processes rebuilding"
        )
    )
    return process_count


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
