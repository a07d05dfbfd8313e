"""The README's commands do what it says, in its order."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

import streetreplay
from data.store import STORE_VARIABLE
from tests.conftest import ROOT
from tests.worlds.commands_in_forks import completed
from tests.worlds.small_demo import small_demo

README = (ROOT / "README.md").read_text(encoding="utf-8")
# `make` targets and the dashboard have tests of their own, or are this one; `hf` needs the hub.
ELSEWHERE = ("make ", "source ", "streamlit ", "hf ")


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def test_the_readmes_commands_run_in_order(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # what `make demo` leaves, smaller
    shutil.copytree(small_demo(tmp_path_factory).store.root, tmp_path / "store")
    ran = 0
    for command in commands():
        if command.startswith(ELSEWHERE):
            continue
        ran += 1
        here = re.sub(r"(?<= )(?:data/)?(out|store)\b", rf"{tmp_path}/\1", command)
        name, *words = shlex.split(here)
        assert name == "streetreplay", command
        done = completed(words, {STORE_VARIABLE: str(tmp_path / "store")})
        assert done.returncode == 0, (command, done.stderr)
    assert ran >= 6


def with_the_hub() -> list[str]:
    """Commands on real data, which need what no test may reach; each follows a prompt."""
    blocks = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


def test_commands_that_need_the_hub_have_the_options_they_name() -> None:
    group = typer.main.get_command(streetreplay.app)
    named = [shlex.split(line) for line in with_the_hub() if line.startswith("streetreplay ")]
    for _, name, *words in named:
        # what is named is taken or refused here; nothing runs
        group.commands[name].make_context(name, words)  # type: ignore[attr-defined]
    path = ["ingest", "sources", "train", "replay", "compare", "weights", "retrain", "export"]
    order = [words[1] for words in named]
    assert sorted(path, key=order.index) == path


def test_every_make_target_of_the_readme_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", README, flags=re.MULTILINE))
    assert {"demo", "test", "check"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def rooms_in_the_readme() -> set[str]:
    (block,) = re.findall(r"```\n(streetreplay\.py.*?)```", README, flags=re.DOTALL)
    rooms, package = set(), ""
    for line in block.splitlines()[1:]:
        indent, name = re.match(r"( *)([\w.]+)/ +\S", line).groups()  # type: ignore[union-attr]
        package = package if indent else name
        rooms.add(f"{package}/{name}" if indent else name)
    return rooms


def rooms_on_disk() -> set[str]:
    """The packages and their rooms; of tests those that mirror no package."""
    packages = [path.parent for path in ROOT.glob("*/__init__.py")]
    mirrored = {"sql"} | {package.name for package in packages}
    rooms = {package.name for package in packages}
    for package in packages:
        left_out = mirrored if package.name == "tests" else {"sample", "store"}
        rooms |= {
            f"{package.name}/{path.name}"
            for path in package.iterdir()
            if path.is_dir() and path.name not in left_out | {"__pycache__"}
        }
    return rooms


def test_the_readmes_tree_is_that_of_the_folders() -> None:
    assert rooms_in_the_readme() == rooms_on_disk()


def test_every_relation_is_in_the_readme() -> None:
    from analytics.warehouse.relations import RELATIONS  # noqa: PLC0415

    for relation in RELATIONS:
        assert f"`{relation}`" in README, relation


def test_the_bundled_record_is_the_golden_one(golden: Path) -> None:
    bundled = ROOT / "data" / "sample" / "media_record.json"
    assert bundled.read_bytes() == (golden / "real" / "media_record.json").read_bytes()


def test_the_readmes_settings_are_those_of_train(tmp_path: Path) -> None:
    from data.settings_file import read_settings  # noqa: PLC0415
    from model.optimization.config import TrainingConfig  # noqa: PLC0415

    blocks = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    assert blocks
    tables = {name: type(values) for name, values in TrainingConfig().tables.items()}
    for block in blocks:
        (tmp_path / "settings.toml").write_text(block, "utf-8")
        assert read_settings(tmp_path / "settings.toml", tables)
