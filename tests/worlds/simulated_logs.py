"""Records of a simulated validator that sends the golden source images."""

from functools import cache
from pathlib import Path
from typing import Any

from analytics.simulation.sources import SimulatedSource
from analytics.simulation.validator import SimulationSettings, simulate
from tests.conftest import GOLDEN, golden_records

Json = dict[str, Any]


@cache
def golden_sources() -> tuple[SimulatedSource, ...]:
    """The golden source rows, rebuilt from the metadata of the records that name them."""
    sources: dict[tuple[str, int], SimulatedSource] = {}
    for record in golden_records(GOLDEN, "e7") + golden_records(GOLDEN, "e9"):
        columns = dict(record["metadata"])
        parquet = Path(columns.pop("source_parquet")).name
        row = int(columns.pop("original_index"))
        width, height = columns.pop("image_size")
        sources[parquet, row] = SimulatedSource(
            parquet=parquet,
            row=row,
            image_format=columns.pop("image_format"),
            image_size=(width, height),
            image_mode=columns.pop("image_mode"),
            columns=columns,
        )
    return tuple(sources.values())


def simulated_log(seed: int, era: str, challenges: int, **settings: Any) -> list[Json]:
    """All records of a validator's life; further settings are those of `SimulationSettings`."""
    simulation = SimulationSettings(seed=seed, challenges=challenges, era=era, **settings)
    return list(simulate(simulation, golden_sources()))


def small_settings(**changes: Any) -> SimulationSettings:
    """A subnet of 30 uids, 4 of them validators, so that windows of 100 fill in 300 challenges."""
    defaults = {"seed": 5, "challenges": 300, "uids": 30, "validators": 4}
    return SimulationSettings(**(defaults | changes))


@cache
def small_log(era: str, challenges: int = 300, synthetic_share: float = 0.0) -> list[Json]:
    """All records of the small subnet in an era."""
    settings = small_settings(challenges=challenges, era=era, synthetic_share=synthetic_share)
    return list(simulate(settings, golden_sources()))
