"""A replay by a candidate in this process, whose images others may rebuild beside it."""

from data.sources.shards import Shards
from data.store import Store
from replay.answering.image_workers import image_builder
from replay.answering.part_pipeline import answers
from replay.answering.part_predictor import PartPredictor
from replay.answering.part_work import PartWork
from replay.candidates.description import describe
from replay.candidates.predictor import Predictor
from replay.plans.plan import Plan, Planned
from replay.rebuilding.image_keys import ImageKeys
from replay.runs.forecast import Forecast, forecast
from replay.runs.open_run import OnProgress, OpenRun
from replay.runs.planned_run import PlannedRun
from replay.runs.publish import ReplayReport
from replay.settings import ReplaySettings


def replay(
    store: Store,
    predictor: Predictor,
    plan: Plan,
    shards: Shards,
    *,
    settings: ReplaySettings = ReplaySettings(),
    on_progress: OnProgress = lambda _: None,
) -> ReplayReport:
    """Predict every possible image of a plan's challenges in this process, and publish the run.

    Raises:
        RunError: as `Replay` and `Replay.run`.
        SourceError: as `Replay`.
    """
    planned = PlannedRun(plan, shards, settings)
    return Replay(store, predictor, planned).run(on_progress=on_progress)


class Replay:
    """An open run (`OpenRun`), and the candidate that answers it."""

    def __init__(self, store: Store, predictor: Predictor, planned: PlannedRun) -> None:
        """Open the run, as `OpenRun`.

        Raises:
            RunError: as `OpenRun`.
            SourceError: the candidate names training rows that cannot be read.
        """
        self.opened = OpenRun(store, describe(predictor), planned)
        self._shards, settings = planned.shards, planned.settings
        self._seed, self._arithmetic = settings.seed, settings.arithmetic
        keys = ImageKeys(self._shards, self._seed, self._arithmetic)
        self._part_predictor = PartPredictor(predictor, keys)

    def forecast(self) -> Forecast:
        """What is left to do, and about how long it takes; a few images are tried for that."""

        def time_image(item: Planned, variant_index: int) -> tuple[float, float]:
            work = PartWork(0, [item], self.opened.metadata([item]))
            return self._part_predictor.time_image(build, work, variant_index)

        with image_builder(self._shards, self._seed, 1, self._arithmetic) as build:
            return forecast(self.opened.plan, self.opened.positions_left, time_image)

    def run(self, workers: int = 1, on_progress: OnProgress = lambda _: None) -> ReplayReport:
        """Predict what is left, and publish the whole; the folder is free for others then.

        Args:
            workers: processes that rebuild images; none besides this one for 1 or fewer. The
                answers are the same.
            on_progress: called with the number of challenges done by each part.

        Raises:
            RunError: the predictor answered something that is no probability, no image could be
                rebuilt, or a worker process died. What was done is kept.
        """
        with (
            self.opened,
            image_builder(self._shards, self._seed, workers, self._arithmetic) as build,
        ):
            answered = answers(self.opened.work(), build, self._part_predictor)
            return self.opened.finish(answered, on_progress)
