"""Runs the demo: draws a small simulated world, then ingests, replays, compares and trains in it.

Nothing in it is a real log or a real photograph; whatever it prints says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.queries.challenges import stored_challenges
from analytics.warehouse.connection import reading
from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.baselines.orange import OrangeBaseline
from model.demo.settings import MODEL, DemoSettings
from model.demo.world import draw_sources, simulate_and_ingest_log
from replay.candidates.predictor import Predictor
from replay.comparing.report import ComparedRuns, comparison_report
from replay.comparing.results import Comparison
from replay.comparing.with_another_run import RunComparison, compare_with_another_run
from replay.plans.plan import Plan, plan
from replay.runs.planned_run import PlannedRun
from replay.runs.run import Replay
from replay.runs.training_rows import trained_on
from replay.settings import VariantSettings

if TYPE_CHECKING:
    from model.training.report import TrainReport


@dataclass(frozen=True)
class FirstResult:
    """The baseline, which needs no training, compared with the miners.

    `challenges` counts those read from the log, `images` those rebuilt.
    """

    challenges: int
    images: int
    orange: Comparison


@dataclass(frozen=True)
class DemoReport:
    """The demo's results: baseline and model against the miners, and against each other."""

    first: FirstResult
    training: "TrainReport"
    model: Comparison
    against: RunComparison


def run_demo(
    store: Store,
    say: Callable[[str], None],
    settings: DemoSettings = DemoSettings(),
    *,
    progress: Progress = silent,
    on_first_result: Callable[[FirstResult], None] = lambda _: None,
    wait_for: Callable[[str], None] = lambda _step: None,
) -> DemoReport:
    """Draw the world into `store`, ingest its log, and compare a baseline and a model with miners.

    Args:
        store: made if it does not exist; what an earlier demo did there is not done again.
        say: takes a line for a person before each step.
        settings: the size of the world.
        progress: shows long work.
        on_first_result: takes the first result, before anything is trained.
        wait_for: waits until a warm-up has compiled what a step uses.
    """
    first, planned = _first_result(store, say, settings, progress, wait_for)
    on_first_result(first)
    # seconds to import, which the first result does not wait for
    from model.checkpoint.predictor import load_predictor  # noqa: PLC0415
    from model.demo.training import draw_training_rows, train_demo  # noqa: PLC0415

    training_settings = settings.training
    scenes = training_settings.scenes
    say(f"drawing {scenes} other scenes to learn from, each with works and without")
    with progress("drawing", 2 * scenes) as on_progress:
        rows = draw_training_rows(store.training, training_settings, on_progress)
    say("training the model on them: every part of it, on a tiny backbone")
    out = store.models / MODEL
    training = train_demo(store, rows, out, training_settings, progress=progress, note=say)
    say("asking the model about the miners' images")
    model = _replay(store, load_predictor(out, store), planned, progress)
    training_rows = trained_on(store, model).rows
    with reading(store) as connection:
        return DemoReport(
            first=first,
            training=training,
            # kept with the run, for the dashboards
            model=comparison_report(store, connection, ComparedRuns(model)).comparison,
            against=compare_with_another_run(
                connection, model, first.orange.run_id, training=training_rows
            ),
        )


def _first_result(
    store: Store,
    say: Callable[[str], None],
    settings: DemoSettings,
    progress: Progress,
    wait_for: Callable[[str], None],
) -> tuple[FirstResult, Plan]:
    say(f"drawing {settings.scenes} road scenes into {store.sources}")
    with progress("drawing", settings.scenes) as on_progress:
        shards = draw_sources(store, settings, on_progress)
    say(f"simulating a validator that sends {settings.challenges} challenges, and reading its log")
    wait_for("log")
    simulate_and_ingest_log(store, shards, settings)
    say("rebuilding what the miners saw, and asking the safety-orange baseline")
    wait_for("replay")
    orange, planned = replay_orange(store, settings, progress)
    wait_for("compare")
    images = int(planned.image_counts.sum())
    return FirstResult(len(planned), images, compare_baseline(store, orange)), planned


def replay_orange(
    store: Store, settings: DemoSettings, progress: Progress = silent
) -> tuple[str, Plan]:
    """Replay the baseline: the run's id, and the plan of all challenges."""
    with reading(store) as connection:
        challenges = stored_challenges(connection)
    planned = plan(challenges, Shards(store.sources), VariantSettings(settings.variants))
    return _replay(store, OrangeBaseline(), planned, progress), planned


def compare_baseline(store: Store, run: str) -> Comparison:
    """Compare a replay of the baseline, which was trained on nothing, with the miners."""
    with reading(store) as connection:
        return comparison_report(store, connection, ComparedRuns(run)).comparison


def _replay(store: Store, candidate: Predictor, planned: Plan, progress: Progress) -> str:
    """Replay a candidate: the run's id."""
    replay = Replay(store, candidate, PlannedRun(planned, Shards(store.sources)))
    with progress(candidate.name, len(planned)) as on_progress:
        return replay.run(on_progress=on_progress).run_id
