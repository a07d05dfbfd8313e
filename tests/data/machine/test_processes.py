import os
import re
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from data.errors import RunError
from data.machine.processes import Work, cgroup_quota, cores, processes
from tests.conftest import ROOT

COUNTERS = {"cpu_count", "sched_getaffinity", "process_cpu_count"}


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


def test_a_process_that_dies_at_its_work_is_one_line() -> None:
    told = pytest.raises(RunError, match=r"^drawing: found a worker process that died.*rest a bit$")
    with told, processes(1, work=Work("drawing", "rest a bit")) as pool:
        list(pool.map(os._exit, [1]))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="pipes of Windows carry messages whole")
def test_a_process_that_dies_within_the_writing_of_its_result_is_one_line() -> None:
    command = [sys.executable, "-m", "tests.data.machine.cut_results"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(r"drawing: found a worker process that died.*rest a bit\n", done.stderr)


def groups(folder: Path, own: str, **files: str) -> tuple[Path, Path]:
    """A tree of control groups, `__` in a name for /, and the file that names a process's own."""
    for name, text in files.items():
        path = folder / "mounted" / name.replace("__", "/").replace("max", "cpu.max")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return folder / "mounted", folder / "own"


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {}, None),
        ("0::/\n", {"max": "max 100000\n"}, None),
        ("0::/\n", {"max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"max": "800000 100000", "a__max": "200000 100000", "a__b__max": "max 1"}, 2),
        ("0::/../x\n", {"max": "nonsense"}, None),
        ("3:cpu,cpuacct:/d\n0::/\n", {"cpu__d__cpu.cfs_quota_us": "300000"}, None),
        (
            "3:cpu,cpuacct:/d\n5:memory:/m\n",
            {"cpu__d__cpu.cfs_quota_us": "300000\n", "cpu__d__cpu.cfs_period_us": "100000\n"},
            3,
        ),
        (
            "3:cpu:/\n",
            {"cpu__cpu.cfs_quota_us": "-1\n", "cpu__cpu.cfs_period_us": "100000\n"},
            None,
        ),
    ],
)
def test_the_quota_of_a_container_is_that_of_its_tightest_group(
    tmp_path: Path, own: str, files: dict[str, str], expected: float | None
) -> None:
    assert cgroup_quota(*groups(tmp_path, own, **files)) == expected


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr("data.machine.processes.cgroup_quota", lambda: None)
    assert cores() == 6
    monkeypatch.setattr("data.machine.processes.cgroup_quota", lambda: 2.5)
    assert cores() == 3
    monkeypatch.setattr("data.machine.processes.cgroup_quota", lambda: 0.2)
    assert cores() == 1
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    monkeypatch.setattr("data.machine.processes.cgroup_quota", lambda: None)
    assert cores() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


def test_nothing_else_counts_cores() -> None:
    """One owner: `os.cpu_count` knows neither affinity nor containers, and macOS no affinity."""
    found = {
        str(path.relative_to(ROOT))
        for room in ("data", "analytics", "replay", "model", "dashboards")
        for path in (ROOT / room).rglob("*.py")
        if COUNTERS & set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    }
    assert found == {"data/machine/processes.py"}
