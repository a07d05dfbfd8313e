"""A retraining: decide, weigh, train, judge, promote; what is done is not done again."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from analytics.warehouse.connection import reading
from data.digests import file_digest
from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.champion.champion import Champion, earlier_champion, present_champion
from model.champion.succession import gate
from model.checkpoint.card import CARD
from model.optimization.config import TrainingConfig
from model.promotion_gate.settings import GateSettings, PowerSettings
from model.retraining.cluster_changes import cluster_changes
from model.retraining.decide import Decision, decide
from model.retraining.decision_evidence import decision_evidence
from model.retraining.gate_run import GateRun
from model.retraining.interpolation import save_interpolated
from model.retraining.reference import champion_reference
from model.retraining.retrain_folder import (
    DECISION,
    OUTCOME,
    RetrainFolder,
    open_retraining,
    retrain_lock,
    retrainings,
)
from model.retraining.retrain_report import RetrainReport, report_json, report_lines
from model.retraining.settings import ChallengerSettings, DecisionSettings
from model.rows.source_rows import list_rows
from model.training.base_checkpoint import Base, load_base
from model.training.train import train
from model.weighting.policy import WeightPolicy
from model.weighting.report import make_weights
from replay.settings import VariantSettings


@dataclass(frozen=True)
class RetrainSettings:
    """All settings of a retraining, a part a stage."""

    policy: WeightPolicy
    decision: DecisionSettings
    gate: GateSettings
    power: PowerSettings
    training: TrainingConfig
    variants: VariantSettings = field(default_factory=VariantSettings)
    challenger: ChallengerSettings = field(default_factory=ChallengerSettings)


def retrain(
    store: Store,
    shards: Shards,
    settings: RetrainSettings,
    *,
    rows: Shards | None = None,
    since: datetime | None = None,
    if_needed: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
) -> RetrainReport:
    """Retrain the champion on weighted rows, and promote the challenger if the gate says so.

    A retraining that was cut off goes on where it stood when the same is asked for again. Whatever
    goes wrong, the champion stays until a challenger was judged and promoted.

    Args:
        store: of the champion; its warehouse holds the log.
        shards: the images of challenges.
        settings: of all stages.
        rows: the source rows to train on; None: those of `shards`.
        since: parts the earlier challenges from the later ones; None: when the champion was made.
        if_needed: do nothing where `decide` says that nothing is due.
        dry_run: say what is due and what the gate needs, and train nothing.
        progress: shows long work.
        note: takes a line for a person.

    Raises:
        RunError: no champion, one that was removed or altered, another retraining at work, or what
            the steps raise.
        StoreError: the store holds no warehouse.
        WriteError: the store cannot be written.
    """
    with retrain_lock(store):
        retraining = _Retraining(store, shards, rows or shards, settings, progress, note)
        return retraining.run(since, if_needed, dry_run)


class _Retraining:
    """A retraining at work."""

    def __init__(
        self,
        store: Store,
        shards: Shards,
        row_shards: Shards,
        settings: RetrainSettings,
        progress: Progress,
        note: Callable[[str], None],
    ) -> None:
        self._store, self._settings = store, settings
        self._shards, self._row_shards = shards, row_shards
        self._stand_against(present_champion(store))
        self._progress, self._note = progress, note
        self._minutes: dict[str, float] = {}

    def _stand_against(self, champion: Champion) -> None:
        """Take the champion that the challenger begins with and is judged against."""
        self._champion = champion
        self._base = None if self._settings.challenger.from_scratch else load_base(champion.folder)

    def run(self, since: datetime | None, if_needed: bool, dry_run: bool) -> RetrainReport:
        """See `retrain`."""
        self._listed = list_rows(self._row_shards)
        if not dry_run and (ended := self._end_promoting_one()) is not None:
            return ended
        gate_run = self._gate_run()
        own_run = self._replay_champion(gate_run)
        decision = self._decide(own_run, since)
        with self._timed("power"):
            power = gate_run.power(own_run, self._settings.power, self._settings.gate)
        if dry_run or (if_needed and not decision.due):
            return RetrainReport(None, decision, power.sentence, minutes=self._minutes)
        # long before the report that says it too
        for line in (*decision.sentences, power.sentence):
            self._note(line)
        decided = {"decision": asdict(decision), "power": power.sentence}
        return self._go_on(open_retraining(self._store, self._asked(own_run), decided), own_run)

    def _end_promoting_one(self) -> RetrainReport | None:
        """The end of a retraining that was cut off after it had promoted its challenger.

        It goes on against the champion of then; where that is gone, or something else is asked for,
        it can only be closed.
        """
        promoted = self._champion
        folder = next(
            (
                folder
                for folder in retrainings(self._store)
                if OUTCOME not in folder.steps
                and folder.checkpoint.resolve() == promoted.folder.resolve()
            ),
            None,
        )
        if folder is None:
            return None
        if (beaten := earlier_champion(self._store, promoted.entry)) is not None:
            self._stand_against(beaten)
            own_run = str(folder.asked.get("champion_run"))
            if (
                folder.is_unfinished(self._asked(own_run))
                and self._replay_champion(self._gate_run()) == own_run
            ):
                return self._go_on(folder, own_run)
        folder.done(OUTCOME, {"promoted": True, "entry": promoted.entry})
        said = f"{folder.path.name} had promoted this champion before it was cut off"
        return RetrainReport(str(folder.path), Decision(False, (), (said,)))

    def _go_on(self, folder: RetrainFolder, own_run: str) -> RetrainReport:
        """Do what is left of a retraining."""
        self._note(f"retraining in {folder.path}")
        for what, minutes in self._minutes.items():
            folder.minutes[what] = folder.minutes.get(what, 0.0) + minutes
        self._minutes = folder.minutes
        weights = self._weigh(folder, own_run)
        self._train(folder)
        gate_run = self._gate_run()
        with self._timed("replay of the challenger"):
            run = gate_run.replay(folder.checkpoint)
        with self._timed("gate"):
            evidence = gate_run.evidence(own_run, run, folder.checkpoint)
            outcome = gate(
                self._store, self._champion, folder.checkpoint, evidence, self._settings.gate
            )
        folder.done("gate", {"run_id": run, "entry": outcome.entry.entry})
        decided = folder.steps[DECISION]
        report = RetrainReport(
            folder=str(folder.path),
            decision=Decision(**decided["decision"]),
            power=decided["power"],
            weights=weights,
            verdict=outcome.verdict,
            clusters=cluster_changes(evidence, gate_run.positions(evidence), self._settings.gate),
            views=gate_run.view_shares(own_run, run),
            minutes=self._minutes,
        )
        folder.write_report(report_json(report), "\n".join(report_lines(report)))
        folder.done(OUTCOME, {"promoted": report.promoted})
        return report

    def _gate_run(self) -> GateRun:
        return GateRun(
            self._store,
            self._shards,
            self._row_shards,
            self._listed.rows,
            self._settings.training.split,
            self._base,
            self._champion,
            self._settings.variants,
            self._progress,
        )

    def _replay_champion(self, gate_run: GateRun) -> str:
        with self._timed("replay of the champion"):
            return gate_run.replay(self._champion.folder)

    def _decide(self, own_run: str, since: datetime | None) -> Decision:
        reference = champion_reference(
            self._store, self._champion, own_run, self._listed.rows, since
        )
        settings = self._settings.decision
        with self._timed("evidence"), reading(self._store) as connection:
            evidence = decision_evidence(connection, self._store, reference, settings)
        return decide(evidence, settings)

    def _asked(self, own_run: str) -> dict[str, Any]:
        rows = [(row.parquet, row.row) for row in self._listed.rows]
        fingerprints = self._row_shards.fingerprints(rows)
        asked = {
            "champion": {"sha256": self._champion.sha256, "entry": self._champion.entry},
            "champion_run": own_run,
            "sources": fingerprints,
            "settings": asdict(self._settings),
        }
        # as it will be read again
        return json.loads(json.dumps(asked, default=str))  # type: ignore[no-any-return]

    def _weigh(self, folder: RetrainFolder, own_run: str) -> dict[str, Any]:
        step = folder.steps.get("weights", {})
        if folder.weights.exists() and step.get("sha256") == file_digest(folder.weights):
            return step["report"]  # type: ignore[no-any-return]
        with self._timed("weights"):
            report = make_weights(
                self._store, self._listed, folder.weights, self._settings.policy, own_run
            )
        folder.done("weights", {"sha256": report.sha256, "report": asdict(report)})
        return asdict(report)

    def _train(self, folder: RetrainFolder) -> None:
        with self._timed("training"):
            report = train(
                self._store,
                self._row_shards,
                folder.trained if self._settings.challenger.interpolates else folder.checkpoint,
                self._settings.training,
                sample_weights=folder.weights,
                initial_checkpoint=None if self._base is None else self._champion.folder,
                progress=self._progress,
                note=self._note,
            )
        folder.done("training", {"run_id": report.run_id, "best": asdict(report.best)})
        if self._base is not None and self._settings.challenger.interpolates:
            self._interpolate(folder, self._base)

    def _interpolate(self, folder: RetrainFolder, champion: Base) -> None:
        share, step = self._settings.challenger.interpolation, "interpolation"
        if step in folder.steps and (folder.checkpoint / CARD).is_file():
            return
        with self._timed("training"):
            sha256 = save_interpolated(champion, folder.trained, folder.checkpoint, share)
        folder.done(step, {"share": share, "sha256": sha256})

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        minutes = (time.monotonic() - start) / 60
        self._minutes[what] = self._minutes.get(what, 0.0) + minutes
