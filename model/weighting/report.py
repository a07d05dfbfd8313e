"""Makes sample weights from a store: gathers the evidence, weighs, writes, and reports."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analytics.warehouse.connection import reading
from data.digests import file_digest
from data.store import Store
from model.rows.source_rows import ListedRows
from model.weighting.draws import DrawShares, draw_shares
from model.weighting.evidence import Evidence
from model.weighting.factor_summary import FactorSummary, factor_summaries
from model.weighting.gather import gather
from model.weighting.policy import WeightPolicy
from model.weighting.sample_weights import WeightedRows, weigh
from model.weighting.targets import Place
from model.weighting.weights_file import publish_weights, write_weights


@dataclass(frozen=True)
class WeightsReport:
    """Sample weights, and what they rest on.

    `run_id` is the replay that slices and gates are of, None where the policy uses neither. Of
    `rows` source rows `without_gps` have no position; `left_out` counts rows that no validator
    would send, by reason, which have no weight. `places` are clusters of the log or the policy's
    own, targets among them; `slices` and `gates` are those with a factor above 1, largest first.
    `raised` and `lowered` count products that were clipped; `effective` is Kish's effective sample
    size. `draws` is None where there is no target. `sha256` is of the file `out`.
    """

    out: str
    sha256: str
    run_id: str | None
    rows: int
    without_gps: int
    left_out: dict[str, int]
    places: list[Place]
    slices: list[dict[str, Any]]
    gates: list[dict[str, Any]]
    factors: list[FactorSummary]
    least: float
    most: float
    raised: int
    lowered: int
    effective: float
    draws: DrawShares | None
    policy: dict[str, Any]


def make_weights(
    store: Store, listed: ListedRows, out: Path, policy: WeightPolicy, run: str = "latest"
) -> WeightsReport:
    """Weigh source rows by what a store's log and replay say; write and publish the weights.

    Args:
        store: its warehouse gets the relation `sample_weights`.
        listed: the source rows.
        out: the Parquet file.
        policy: what each factor may do.
        run: a replay's id, or `latest`.

    Raises:
        StoreError: the store holds no warehouse, or another process writes it.
        RunError: no such replay, no rows with GPS, or all weights are 0.
        WriteError: `out` or the warehouse cannot be written.
    """
    with reading(store) as connection:
        gathered = gather(connection, store, listed.rows, policy, run)
    weighted = weigh(gathered.evidence, policy)
    write_weights(out, weighted.table)
    publish_weights(store, weighted.table)
    table = weighted.table
    return WeightsReport(
        out=str(out),
        sha256=file_digest(out),
        run_id=gathered.run_id,
        rows=table.height,
        without_gps=gathered.evidence.rows["latitude"].null_count(),
        left_out=listed.left_out,
        places=weighted.places,
        slices=_above_one(weighted.slices),
        gates=_above_one(weighted.gates),
        factors=factor_summaries(weighted),
        least=_number(table["weight"].min()),
        most=_number(table["weight"].max()),
        raised=weighted.raised,
        lowered=weighted.lowered,
        effective=weighted.effective,
        draws=_draws(gathered.evidence, weighted, policy),
        policy={name: asdict(part) for name, part in policy.tables.items()},
    )


def _above_one(slices: pl.DataFrame) -> list[dict[str, Any]]:
    above = slices.filter(pl.col("factor") > 1.0)
    return above.sort("factor", "field", "value", descending=[True, False, False]).to_dicts()


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # of a column of numbers


def _draws(evidence: Evidence, weighted: WeightedRows, policy: WeightPolicy) -> DrawShares | None:
    if not any(place.is_target for place in weighted.places):
        return None
    scenes = evidence.rows.sort("source", "row")["scene"]
    weights = np.array(weighted.table["weight"].to_numpy())
    return draw_shares(scenes, weights, weighted.distance, policy.gps.share_km, policy.gps.aim)
