"""What each page takes of a store of many challenges: seconds, and memory.

`python -m tests.bench.dashboards.page_queries [CHALLENGES] [STORE]`; the store is made where it is
not there. Each page is opened in a process of its own: "first" asks the store everything, "again"
nothing, as all is cached; the difference is what the page's queries take. Comparisons with miners
are no part of it: they are computed beside the page and kept.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from data.terminal import print_json
from tests.bench.dashboards.million_challenges import fill_warehouse
from tests.bench.peak_memory import peak_mebibytes
from tests.conftest import ROOT

CHALLENGES = 1_000_000
PAGES = sorted(path.stem for path in (ROOT / "dashboards" / "app_pages").glob("[!_]*.py"))


def main() -> None:
    """Print a line of JSON a page."""
    challenges = int(sys.argv[1]) if len(sys.argv) > 1 else CHALLENGES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(sys.argv[2] if len(sys.argv) > 2 else folder)
        made(root, challenges)
        for name in PAGES:
            command = [sys.executable, "-m", __spec__.name, "page", name]
            subprocess.run(
                command, env={**os.environ, "STREETREPLAY_STORE": str(root)}, check=True, cwd=ROOT
            )


def made(root: Path, challenges: int) -> None:
    """Make the store where it is not there."""
    from data.store import Store  # noqa: PLC0415

    if not Store(root).warehouse.is_file():
        begun = time.perf_counter()
        fill_warehouse(Store(root), challenges)
        seconds = round(time.perf_counter() - begun, 1)
        print_json({"challenges": challenges, "made_s": seconds})


def page(name: str) -> None:
    """Open one page twice."""
    import duckdb  # noqa: F401, PLC0415
    import pandas  # noqa: F401, PLC0415
    import streamlit  # noqa: F401, PLC0415

    from tests.dashboards.page import the_page  # noqa: PLC0415

    store = os.environ["STREETREPLAY_STORE"]
    # the page's imports: an empty store has nothing to ask
    os.environ["STREETREPLAY_STORE"] = "/dev/null"
    the_page(name)
    os.environ["STREETREPLAY_STORE"] = store
    before = peak_mebibytes()
    with mock.patch("replay.comparing.background.start"):
        begun = time.perf_counter()
        opened = the_page(name)
        first = time.perf_counter() - begun
        assert not opened.exception, opened.exception
        begun = time.perf_counter()
        opened.run()
        again = time.perf_counter() - begun
    found = {
        "page": name,
        "first_s": round(first, 2),
        "again_s": round(again, 2),
        "queries_s": round(first - again, 2),
        "memory_mb": round(peak_mebibytes()),
        "of_imports_mb": round(before),
    }
    print_json(found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["page"]:
        page(sys.argv[2])
    else:
        main()
