"""Where things lie in a store: the warehouse, source and training shards, runs and models."""

import os
from dataclasses import dataclass
from pathlib import Path

STORE_VARIABLE = "STREETREPLAY_STORE"

_ROOT = Path(__file__).parents[1]
# Of a checkout its own `data/store`; beside an installed wheel a store would be lost with it.
DEFAULT_STORE = (_ROOT if (_ROOT / "pyproject.toml").is_file() else Path()) / "data" / "store"


@dataclass(frozen=True)
class Store:
    """The layout of a store folder."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The published DuckDB file; never written in place."""
        return self.root / "warehouse.duckdb"

    @property
    def sources(self) -> Path:
        """Parquet shards of source images."""
        return self.root / "sources"

    @property
    def logs(self) -> Path:
        """Logs that StreetReplay itself wrote (the demo's)."""
        return self.root / "logs"

    @property
    def runs(self) -> Path:
        """One folder a replay or training run."""
        return self.root / "runs"

    @property
    def training(self) -> Path:
        """Parquet shards that the demo learns from, apart from those that challenges show."""
        return self.root / "training"

    @property
    def models(self) -> Path:
        """Checkpoints, a folder each."""
        return self.root / "models"

    @property
    def features(self) -> Path:
        """What frozen backbones made of images; can be deleted and is then made again."""
        return self.root / "cache" / "features"

    @property
    def text_vectors(self) -> Path:
        """Vectors of descriptions, a file; can be deleted and is then made again."""
        return self.root / "cache" / "text-vectors.safetensors"


def open_store(root: Path | None = None) -> Store:
    """The store at `root`, else at $STREETREPLAY_STORE, else `data/store` of this checkout, or of
    the working directory where StreetReplay is installed without one.

    Nothing is created: an empty or missing folder is an empty store.
    """
    chosen = root or Path(os.environ.get(STORE_VARIABLE) or DEFAULT_STORE)
    return Store(chosen)
