"""Pages that are opened while logs are read into the store: old or new data, never an error."""

import subprocess
import sys
from pathlib import Path

import pytest

from data.store import Store
from tests.conftest import GOLDEN, ROOT
from tests.dashboards.page import metric, plain, rendered, the_page

LOADS = (30, pytest.param(300, marks=pytest.mark.slow))
LOGS = [GOLDEN / era / "challenges.jsonl" for era in ("e5", "e7")]

# reads a log into the store, puts the store's first state back, and so on until it is told to end
PUBLISHING = """
import os, shutil, sys
from pathlib import Path

from analytics.ingest.ingest import ingest
from data.store import Store

if __name__ == "__main__":
    store, stop, logs = Store(Path(sys.argv[1])), Path(sys.argv[2]), map(Path, sys.argv[3:])
    logs = list(logs)
    first = store.warehouse.with_suffix(".first")
    shutil.copyfile(store.warehouse, first)
    publishes = 0
    while not stop.exists():
        for log in logs:
            ingest(store, [log])
            publishes += 1
        aside = store.warehouse.with_suffix(".aside")
        shutil.copyfile(first, aside)
        os.replace(aside, store.warehouse)
        publishes += 1
    print(publishes)
"""


@pytest.mark.parametrize("loads", LOADS)
def test_pages_load_while_logs_are_published(
    loads: int, replayed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dashboards.parts.comparison_access.start_comparison", lambda *_: None
    )  # processes of their own are another test's matter
    script, stop = tmp_path / "publishing.py", tmp_path / "stop"
    script.write_text(PUBLISHING)
    words = [sys.executable, str(script), str(replayed.root), str(stop), *map(str, LOGS)]
    publishing = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    seen = set()
    try:
        page = the_page("overview")
        for _ in range(loads):
            page.run()
            assert not page.exception
            assert "cannot be shown" not in rendered(page), plain(page)
            seen.add(metric(page, "Challenges"))
    finally:
        stop.write_text("")
        output, _ = publishing.communicate(timeout=300)
    assert publishing.returncode == 0
    # before, after the first log, and after both
    assert seen <= {"60", "120", "520"}, seen
    assert len(seen) > 1
    assert int(output) >= 3
