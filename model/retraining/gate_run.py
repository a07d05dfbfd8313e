"""Champion and challenger before the gate: their replays, what both answered, and its power."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from analytics.queries.challenges import stored_challenges
from analytics.regions.positions import challenge_positions
from analytics.warehouse.connection import reading
from analytics.warehouse.statements import statements
from data.errors import RunError
from data.machine.processes import cores
from data.progress import Progress
from data.sources.shards import Shards
from data.store import Store
from model.champion.champion import Champion
from model.champion.gate_sets import attempt_number
from model.champion.promotions import read_promotions
from model.checkpoint.predictor import load_predictor
from model.datasets.settings import DatasetSettings
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.logged_evidence import logged_evidence
from model.promotion_gate.power import GatePower, assumed_challenger, gate_power
from model.promotion_gate.reserved_evidence import reserved_evidence
from model.promotion_gate.settings import GateSettings, PowerSettings
from model.retraining.cluster_changes import shown_positions
from model.rows.settings import SplitSettings
from model.rows.training_row import TrainingRow
from model.training.base_checkpoint import Base, training_split
from replay.plans.plan import plan
from replay.runs.planned_run import PlannedRun
from replay.runs.run import Replay
from replay.settings import VariantSettings

_DATASET = DatasetSettings()
"""How challenges are drawn of reserved rows."""


@dataclass(frozen=True)
class GateRun:
    """What the gate is held on: the log of a store, else the reserved source rows.

    `shards` hold the images of challenges, `row_shards` those of the source `rows`, of which
    `split` reserves some, with regard to `base` (see `training_split`). `variants` of a challenge
    are shown to both. `progress` shows long work.
    """

    store: Store
    shards: Shards
    row_shards: Shards
    rows: Sequence[TrainingRow]
    split: SplitSettings
    base: Base | None
    champion: Champion
    variants: VariantSettings
    progress: Progress

    def replay(self, folder: Path) -> str:
        """Replay a checkpoint over all challenges that can be rebuilt; done once: the run's id.

        Raises:
            RunError: no challenge, or no whole checkpoint.
        """
        with reading(self.store) as connection:
            challenges = stored_challenges(connection, ordered=False)
        planned = plan(challenges, self.shards, self.variants)
        planned_run = PlannedRun(planned, self.shards)
        replay = Replay(self.store, load_predictor(folder, self.store), planned_run)
        workers = replay.forecast().workers(cores())
        with self.progress(f"replaying {folder.name}", len(planned)) as on_progress:
            return replay.run(workers, on_progress).run_id

    def evidence(self, champion_run: str, challenger_run: str, challenger: Path) -> Evidence:
        """What both answered to the logged challenges that neither was trained on.

        Where there is none, to challenges drawn of the reserved rows.

        Raises:
            RunError: there is neither.
        """
        evidence = logged_evidence(self.store, champion_run, challenger_run)
        if evidence is not None:
            return evidence
        own, other = (
            load_predictor(folder, self.store) for folder in (self.champion.folder, challenger)
        )
        reserved = self._reserved
        with self.progress("reserved rows", len(reserved)) as on_progress:
            evidence = reserved_evidence(
                reserved, self.row_shards, own, other, _DATASET, on_progress=on_progress
            )
        if evidence is None:
            raise RunError(
                "gate",
                found="no logged challenge and no reserved row that neither model was trained on",
                expected="some",
                remedy="train with a --holdout, or ingest a newer log",
            )
        return evidence

    def power(self, champion_run: str, power: PowerSettings, gate: GateSettings) -> GatePower:
        """What the gate finds, by a challenger that is assumed: before anything is trained."""
        own = self.evidence(champion_run, champion_run, self.champion.folder)
        pilot = assumed_challenger(own, power.disagreement)
        attempt = attempt_number(self.store, read_promotions(self.store), pilot)
        return gate_power(pilot, power, gate, attempt, "an assumed challenger")

    def positions(self, evidence: Evidence) -> pl.DataFrame:
        """Where all challenges are that could be evidence; see `cluster_changes`."""
        if evidence.places is None:
            return shown_positions([row.gps for row in self._reserved], _DATASET.draws)
        with reading(self.store) as connection:
            return challenge_positions(connection)

    @property
    def _reserved(self) -> list[TrainingRow]:
        held = training_split(self.rows, self.split, self.store, self.base).holdout
        return [self.rows[index] for index in held]

    def view_shares(self, champion_run: str, challenger_run: str) -> dict[int, tuple[float, float]]:
        """The mean share of each view in the fusion, of both over the challenges both answered.

        Empty without gates.
        """
        name = "model/weighting/view_shares"
        with reading(self.store) as connection:
            own, other = (
                connection.sql(statements(name), params={"run_id": run_id}).pl()
                for run_id in (champion_run, challenger_run)
            )
        shared = own.join(other, on="challenge_id", suffix="_other", maintain_order="left")
        if shared.is_empty():
            return {}
        before, after = (
            np.array(shared[column].to_list()).mean(axis=0) for column in ("shares", "shares_other")
        )
        return {
            view: (float(old), float(new))
            for view, (old, new) in enumerate(zip(before, after, strict=True), start=1)
        }
