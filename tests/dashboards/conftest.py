"""A store with two replays, as pages of candidates need it."""

import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from analytics.standings.together import keep_together, miners_together
from analytics.warehouse.connection import reading, writing
from data.store import STORE_VARIABLE, Store
from replay.comparing.kept_comparison import Asked, comparisons_folder
from replay.comparing.report import ComparedRuns, comparison_report
from replay.comparing.results import Comparison
from tests.conftest import GOLDEN
from tests.made_once import made_once

# A candidate's run without torch: right on every challenge, but for those of levels 2 and 3, whose
# images it could not rebuild.
_RUN = """
INSERT INTO replay_runs VALUES
    ('replay-a', 'a candidate', false, '2026-01-01', 60, 32, '{}'),
    ('replay-fed', 'a fed one', true, '2025-01-01', 60, 32, '{}');
INSERT INTO replay_predictions
SELECT run.run_id, challenge_id, CASE WHEN aug_level < 2 THEN label END, 0,
    CASE WHEN aug_level < 2 THEN label END,
    CASE WHEN aug_level < 2 THEN 'exact' ELSE 'impossible' END,
    CASE WHEN aug_level >= 2 THEN 'shard missing' END,
    (aug_level < 2)::INTEGER, 0
FROM media, replay_runs AS run;
"""


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the challenges of e9 and their shards, but no replay; no test changes it."""
    return made_once(tmp_path_factory, "ingested", _ingest)


@pytest.fixture(scope="session")
def compared(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That store with two replays, compared with the miners, and their report; never changed."""
    return made_once(tmp_path_factory, "compared", partial(_compare, ingested))


@pytest.fixture
def replayed(compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A copy of that store; the one that pages show."""
    shutil.copytree(compared, tmp_path / "store")
    store = Store(tmp_path / "store")
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    return store


def _ingest(root: Path) -> None:
    store = Store(root)
    ingest(store, [GOLDEN / "e9" / "challenges.jsonl"])
    # copyfile: the golden files are read-only
    store.sources.mkdir()
    for shard in (GOLDEN / "e9" / "sources").glob("*.parquet"):
        shutil.copyfile(shard, store.sources / shard.name)


def _compare(ingested: Path, root: Path) -> None:
    shutil.copytree(ingested, root)
    change(Store(root), _RUN)
    for run in ("replay-a", "replay-fed"):
        keep_comparison(Store(root), run)
    keep_miners(Store(root))


def keep_comparison(store: Store, run: str = "replay-a", other: str | None = None) -> Comparison:
    """Compare a run as its pages ask for it, in place of what is kept."""
    shutil.rmtree(comparisons_folder(store, run), ignore_errors=True)
    with reading(store) as connection:
        return comparison_report(
            store, connection, ComparedRuns(run, other), Asked(run, other).with_slices.settings
        ).comparison


def keep_miners(store: Store) -> None:
    """Look at all miners together, in place of what is kept."""
    with reading(store) as connection:
        keep_together(store, miners_together(connection))


def change(store: Store, sql: str) -> None:
    """Change the published warehouse."""
    with writing(store) as writer:
        writer.connection.execute(sql)


@pytest.fixture(autouse=True, scope="package")
def no_components() -> Iterator[None]:
    """Every page opened by a test would look for components in all packages; we have none."""
    with pytest.MonkeyPatch.context() as patch:
        scan = "streamlit.components.v2.manifest_scanner.scan_component_manifests"
        patch.setattr(scan, list)
        yield


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit puts a page in the place of `__main__`, which later processes would start with."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
