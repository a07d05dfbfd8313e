"""A wheel of the project, installed outside the checkout, holds all that it runs."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from data.store import STORE_VARIABLE
from tests.conftest import ROOT
from tests.worlds.checkout import PACKAGES, copy_checkout

BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def run(*command: str | Path, cwd: Path) -> str:
    left_out = ("PYTHONPATH", STORE_VARIABLE)
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = tmp_path_factory.mktemp("checkout")
    copy_checkout(checkout)
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-c", BUILD, out, cwd=checkout)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel; libraries are borrowed from this one.

    A line of a `.pth` file adds a folder to the path without reading the `.pth` files in it, so
    that the checkout, which is installed there as editable, is out of sight.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = run(
        python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder
    )
    borrowed = Path(packages.strip()) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin"


def test_the_wheel_holds_every_module_and_query_and_nothing_else(wheel: Path) -> None:
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for suffix in ("py", "sql")
        for path in (ROOT / package).rglob(f"*.{suffix}")
    } | {"streetreplay.py", "model/weighting/default_policy.toml"}
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == expected


def test_an_installed_wheel_ingests_and_queries(installed: Path, tmp_path: Path) -> None:
    streetreplay = installed / "streetreplay"
    where = run(
        installed / "python", "-c", "import analytics; print(analytics.__file__)", cwd=tmp_path
    )
    assert str(ROOT) not in where
    run(streetreplay, "ingest", ROOT / "data" / "sample" / "media_record.json", cwd=tmp_path)
    query = "SELECT count(*) AS n FROM responses"
    answer = run(streetreplay, "sql", query, "--format", "csv", cwd=tmp_path)
    assert int(answer.splitlines()[1]) > 0
    assert (tmp_path / "data" / "store" / "warehouse.duckdb").is_file()
