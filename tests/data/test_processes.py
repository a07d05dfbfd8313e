import os
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from data.processes import processes


def test_work_is_done_elsewhere_after_a_start_of_its_own(tmp_path: Path) -> None:
    here = Path.cwd()
    with processes(1, os.chdir, tmp_path) as pool:
        assert pool.submit(os.getppid).result() == os.getpid()
        assert Path(pool.submit(os.getcwd).result()) == tmp_path.resolve()
    assert Path.cwd() == here


def test_a_start_that_fails_breaks_the_pool() -> None:
    broken = pytest.raises(BrokenProcessPool)
    with processes(1, os.kill, os.getpid(), "no signal") as pool, broken:
        pool.submit(os.getpid).result()
