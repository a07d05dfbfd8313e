"""A retraining: decide, weigh, train, judge, promote; what is done is not done again."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from analytics.warehouse.connection import reading
from data.digests import file_digest
from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.champion.champion import present_champion
from model.champion.promotions import read_promotions
from model.champion.succession import gate
from model.optimization.config import TrainingConfig
from model.promotion_gate.settings import GateSettings, PowerSettings
from model.promotion_gate.verdict import Verdict
from model.retraining.decide import Decision, DecisionSettings, decide
from model.retraining.decision_evidence import Reference, decision_evidence
from model.retraining.gate_run import GateRun
from model.retraining.retrain_folder import (
    OUTCOME,
    RetrainFolder,
    open_retraining,
    retrain_lock,
    retrainings,
)
from model.retraining.retrain_report import RetrainReport, report_json, report_lines
from model.rows.source_rows import list_rows
from model.rows.training_row import TrainingRow
from model.training.base_checkpoint import load_base, training_split
from model.training.train import train
from model.weighting.policy import WeightPolicy
from model.weighting.report import make_weights
from replay.runs.training_rows import trained_on
from replay.settings import VariantSettings


@dataclass(frozen=True)
class RetrainSettings:
    """All settings of a retraining, a part a stage.

    The challenger begins with the champion's weights, unless `from_scratch`.
    """

    policy: WeightPolicy
    decision: DecisionSettings
    gate: GateSettings
    power: PowerSettings
    training: TrainingConfig
    variants: VariantSettings = field(default_factory=VariantSettings)
    from_scratch: bool = False


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
        self._champion = present_champion(store)
        self._base = None if settings.from_scratch else load_base(self._champion.folder)
        self._progress, self._note = progress, note
        self._minutes: dict[str, float] = {}

    def run(self, since: datetime | None, if_needed: bool, dry_run: bool) -> RetrainReport:
        """See `retrain`."""
        if (done := self._promoted_before()) is not None:
            return done
        rows = list_rows(self._row_shards).rows
        gate_run = self._gate_run(rows)
        with self._timed("replay of the champion"):
            own_run = gate_run.replay(self._champion.folder)
        decision = self._decide(own_run, rows, since)
        with self._timed("power"):
            power = gate_run.power(own_run, self._settings.power, self._settings.gate)
        if dry_run or (if_needed and not decision.due):
            return RetrainReport(None, decision, power.sentence, minutes=self._minutes)
        # long before the report that says it too
        for line in (*decision.sentences, power.sentence):
            self._note(line)
        folder = open_retraining(self._store, self._asked(own_run, rows))
        self._note(f"retraining in {folder.path}")
        weights = self._weigh(folder, own_run)
        self._train(folder)
        run, verdict = self._judge(gate_run, folder, own_run)
        report = RetrainReport(
            folder=str(folder.path),
            decision=decision,
            power=power.sentence,
            weights=weights,
            verdict=verdict,
            views=gate_run.view_shares(own_run, run),
            minutes=self._minutes,
        )
        folder.write_report(report_json(report), "\n".join(report_lines(report)))
        folder.done(OUTCOME, {"promoted": report.promoted, "minutes": self._minutes})
        return report

    def _promoted_before(self) -> RetrainReport | None:
        """The end of a retraining that was cut off after it had promoted its challenger."""
        for folder in retrainings(self._store):
            if OUTCOME in folder.steps or (
                folder.checkpoint.resolve() != self._champion.folder.resolve()
            ):
                continue
            folder.done(OUTCOME, {"promoted": True, "entry": self._champion.entry})
            said = f"{folder.path.name} had promoted this champion before it was cut off"
            return RetrainReport(str(folder.path), Decision(False, (), (said,)))
        return None

    def _gate_run(self, rows: Sequence[TrainingRow]) -> GateRun:
        settings = self._settings.training.split
        held = training_split(rows, settings, self._store, self._base).holdout
        return GateRun(
            self._store,
            self._shards,
            self._row_shards,
            self._champion,
            [rows[index] for index in held],
            self._settings.variants,
            self._progress,
        )

    def _decide(
        self, own_run: str, rows: Sequence[TrainingRow], since: datetime | None
    ) -> Decision:
        last = [folder.started for folder in retrainings(self._store) if OUTCOME in folder.steps]
        reference = Reference(
            run_id=own_run,
            since=since or self._champion_since(),
            last=max(last, default=None),
            new_rows=self._new_rows(own_run, rows),
        )
        settings = self._settings.decision
        with self._timed("evidence"), reading(self._store) as connection:
            evidence = decision_evidence(connection, self._store, reference, settings)
        return decide(evidence, settings)

    def _champion_since(self) -> datetime:
        """When the champion became it; long ago if the promotions log was removed."""
        entries = read_promotions(self._store)
        times = (entry.at for entry in entries if entry.entry == self._champion.entry)
        return datetime.fromisoformat(next(times, "1970-01-01T00:00:00+00:00"))

    def _new_rows(self, own_run: str, rows: Sequence[TrainingRow]) -> int:
        trained = trained_on(self._store, own_run).rows
        if trained is None:
            return len(rows)
        seen = set(trained.select("parquet", "row").iter_rows())
        return sum((row.parquet, row.row) not in seen for row in rows)

    def _asked(self, own_run: str, rows: Sequence[TrainingRow]) -> dict[str, Any]:
        fingerprints = self._row_shards.fingerprints([(row.parquet, row.row) for row in rows])
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
                self._store, self._row_shards, folder.weights, self._settings.policy, own_run
            )
        folder.done("weights", {"sha256": report.sha256, "report": asdict(report)})
        return asdict(report)

    def _train(self, folder: RetrainFolder) -> None:
        with self._timed("training"):
            report = train(
                self._store,
                self._row_shards,
                folder.checkpoint,
                self._settings.training,
                sample_weights=folder.weights,
                initial_checkpoint=None if self._base is None else self._champion.folder,
                progress=self._progress,
                note=self._note,
            )
        folder.done("training", {"run_id": report.run_id, "best": asdict(report.best)})

    def _judge(self, gate_run: GateRun, folder: RetrainFolder, own_run: str) -> tuple[str, Verdict]:
        with self._timed("replay of the challenger"):
            run = gate_run.replay(folder.checkpoint)
        with self._timed("gate"):
            evidence = gate_run.evidence(own_run, run, folder.checkpoint)
            outcome = gate(
                self._store, self._champion, folder.checkpoint, evidence, self._settings.gate
            )
        folder.done("gate", {"run_id": run, "entry": outcome.entry.entry})
        return run, outcome.verdict

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self._minutes[step] = round((time.monotonic() - start) / 60, 2)
