"""The layout of a store folder: warehouse, source and training shards, runs, models, caches."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from data.errors import StoreError

STORE_VARIABLE = "STREETREPLAY_STORE"

# As a path has it: one slash where the URL has two. A drive of Windows has one letter.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)")

_ROOT = Path(__file__).parents[1]
# Of a checkout its own `data/store`; beside an installed wheel a store would be lost with it.
DEFAULT_STORE = (_ROOT if (_ROOT / "pyproject.toml").is_file() else Path()) / "data" / "store"


@dataclass(frozen=True)
class Store:
    """A store folder and the paths in it."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The published DuckDB file; never written in place."""
        return self.root / "warehouse.duckdb"

    @property
    def scratch(self) -> Path:
        """What an ingest holds outside memory; nothing of it is kept."""
        return self.root / "scratch"

    @property
    def unpacked(self) -> Path:
        """What is unpacked of archives while an ingest reads them, a folder a process."""
        return self.root / "unpacked"

    @property
    def sources(self) -> Path:
        """Parquet shards of source images."""
        return self.root / "sources"

    @property
    def logs(self) -> Path:
        """Logs that StreetReplay itself wrote (the demo's)."""
        return self.root / "logs"

    @property
    def downloads(self) -> Path:
        """Logs that were downloaded from W&B's service, a folder a run."""
        return self.root / "downloads" / "wandb"

    @property
    def runs(self) -> Path:
        """Replay and training runs, a folder each."""
        return self.root / "runs"

    @property
    def audits(self) -> Path:
        """What the last audit found."""
        return self.root / "audits"

    @property
    def miners(self) -> Path:
        """What the last report on all miners found."""
        return self.root / "miners"

    @property
    def settings(self) -> Path:
        """What people chose on pages, and when they last looked."""
        return self.root / "settings"

    @property
    def training(self) -> Path:
        """Parquet shards that the demo trains on; no challenge shows their images."""
        return self.root / "training"

    @property
    def models(self) -> Path:
        """Checkpoints, a folder each."""
        return self.root / "models"

    @property
    def features(self) -> Path:
        """Features of images by frozen backbones, a cache: deleted ones are computed again."""
        return self.root / "cache" / "features"

    @property
    def order(self) -> Path:
        """The order of challenges, a cache file: once deleted it is found again."""
        return self.root / "cache" / "order.parquet"

    @property
    def text_vectors(self) -> Path:
        """Vectors of descriptions, a cache file: once deleted it is computed again."""
        return self.root / "cache" / "text-vectors.safetensors"


def open_store(root: Path | None = None) -> Store:
    """The store at `root`, else at $STREETREPLAY_STORE, else `data/store` of this checkout, or of
    the working directory where StreetReplay is installed without one.

    Nothing is created: an empty or missing folder is an empty store.

    Raises:
        StoreError: it is named by a URL.
    """
    chosen = root or Path(os.environ.get(STORE_VARIABLE) or DEFAULT_STORE)
    if (url := _URL.match(str(chosen))) is not None:
        raise StoreError(
            f"store {url[1]}://{url[2]}",
            found="a URL",
            expected="a folder of this machine, as it holds a DuckDB file and locks",
            remedy="give the URL of source images to --sources",
        )
    return Store(chosen)
