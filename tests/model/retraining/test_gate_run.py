"""Where the gate is held on reserved rows, these are all that could be evidence."""

from pathlib import Path

from data.progress import silent
from data.sources.shards import Shards
from data.store import Store
from model.champion.champion import Champion
from model.datasets.settings import DatasetSettings
from model.retraining.gate_run import GateRun
from model.rows.settings import SplitSettings
from model.rows.split import split_rows
from replay.settings import VariantSettings
from tests.model.promotion_gate.simulated_gates import GateWorld, a_gate
from tests.model.weighting.weighing_world import rows_of, sources


def test_positions_of_reserved_rows_come_once_a_draw(tmp_path: Path) -> None:
    rows, split = rows_of(sources()), SplitSettings(holdout=0.2)
    gate_run = GateRun(
        store=Store(tmp_path),
        shards=Shards(tmp_path),
        row_shards=Shards(tmp_path),
        rows=rows,
        split=split,
        base=None,
        champion=Champion(tmp_path, "", 1),
        variants=VariantSettings(),
        progress=silent,
    )
    table = gate_run.positions(a_gate(1, world=GateWorld(images=50, logged=False)))
    reserved = [rows[index] for index in split_rows(rows, split).holdout]
    assert reserved
    expected = [row.gps or (None, None) for row in reserved for _ in range(DatasetSettings().draws)]
    assert table.select("latitude", "longitude").rows() == expected
