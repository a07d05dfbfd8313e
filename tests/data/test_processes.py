import os
from concurrent.futures.process import BrokenProcessPool

import pytest

from data.processes import processes


def test_work_is_done_elsewhere_after_a_start_of_its_own() -> None:
    with processes(1, os.putenv, "STREETREPLAY_TEST", "1") as pool:
        assert pool.submit(os.getppid).result() == os.getpid()


def test_a_start_that_fails_breaks_the_pool() -> None:
    broken = pytest.raises(BrokenProcessPool)
    with processes(1, os.kill, os.getpid(), "no signal") as pool, broken:
        pool.submit(os.getpid).result()
