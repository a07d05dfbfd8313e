"""The layout of a store folder: warehouse, source and training shards, runs, models, caches."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upath import UPath

STORE_VARIABLE = "STREETREPLAY_STORE"

# As a path has it: one slash where the URL has two. A drive of Windows has one letter.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)")

_ROOT = Path(__file__).parents[1]
# Of a checkout its own `data/store`; beside an installed wheel a store would be lost with it.
DEFAULT_STORE = (_ROOT if (_ROOT / "pyproject.toml").is_file() else Path()) / "data" / "store"


@dataclass(frozen=True)
class Store:
    """A store folder and the paths in it.

    Attributes:
        root: the folder; of a store on a server, its working copy on this machine.
        url: of a store on a server.
        read_there: the folders of source images that the server holds; they are not copied.
    """

    root: Path
    url: str | None = None
    read_there: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.url or str(self.root)

    @property
    def argument(self) -> str:
        """What `--store` takes for it, from any working directory."""
        return self.url or str(self.root.resolve())

    @property
    def warehouse(self) -> Path:
        """The published DuckDB file; never written in place."""
        return self.root / "warehouse.duckdb"

    @property
    def warehouse_lock(self) -> Path:
        """The file that who writes the warehouse has locked."""
        return self.root / "warehouse.lock"

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
        """Parquet shards of source images, in the folder."""
        return self.root / "sources"

    @property
    def sources_place(self) -> "Path | UPath":
        """Where they are read: on the server, where it has them."""
        return self._place(self.sources)

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
    def training_place(self) -> "Path | UPath":
        """Where they are read: on the server, where it has them."""
        return self._place(self.training)

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

    def _place(self, folder: Path) -> "Path | UPath":
        if self.url is None or folder.name not in self.read_there:
            return folder
        from upath import UPath  # noqa: PLC0415  (only where there is a URL)

        return UPath(f"{self.url}/{folder.name}")


def store_url(named: Path) -> str | None:
    """The URL that a person names, which a path has with one slash; None for a path."""
    url = _URL.match(str(named))
    return None if url is None else f"{url[1].lower()}://{url[2]}"
