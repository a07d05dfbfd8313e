"""Options made of settings: their order before a file and the defaults, their help, wrong use."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import example, given
from typer.testing import CliRunner, Result

from data.errors import RunError
from data.settings import settings_of
from data.settings_file import write_settings
from model.backbone.settings import AdapterSettings, BackboneSettings
from model.commands.settings_options import Settings, SettingsCommand, with_settings
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings
from model.rows.settings import SplitSettings
from tests.conftest import ROOT
from tests.data.example_settings import Kind, Loop, Net, loops

ALL: dict[str, Any] = {
    "training": TrainSettings(),
    "optimizer": OptimizerSettings(),
    "loss": LossSettings(),
    "split": SplitSettings(),
    "dataset": DatasetSettings(),
    "backbone": BackboneSettings(),
    "adapter": AdapterSettings(),
    "model": ModelSettings(),
}


def make_app(chosen: list[Settings], **defaults: Any) -> typer.Typer:
    """A command `go` with those settings, which keeps what it was given."""
    app = typer.Typer(rich_markup_mode=None)

    @app.command(cls=SettingsCommand, epilog="Example: go --out here")
    @with_settings(**defaults)
    def go(
        out: Annotated[Path, typer.Option("--out", help="Folder.")],
        settings: Settings,
        times: Annotated[int, typer.Option("--times", min=1)] = 2,
    ) -> None:
        """Go there."""
        assert (out, times) == (Path("here"), 2)
        chosen.append(settings)

    return app


def run(*words: object, **defaults: Any) -> tuple[Result, Settings | None]:
    chosen: list[Settings] = []
    app = make_app(chosen, **(defaults or {"loop": Loop(), "net": Net()}))
    result = CliRunner().invoke(app, ["--out", "here", *map(str, words)])
    return result, chosen[0] if chosen else None


def settle(*words: object, **defaults: Any) -> Settings:
    result, settings = run(*words, **defaults)
    assert settings is not None, result.output
    return settings


def test_an_option_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[loop]\nepochs = 7\nlr = 0.5\ncompiled = true\nbatch_size = 3\n", "utf-8")
    assert settle().tables["loop"] == Loop()
    assert settle("--settings", file).tables["loop"] == Loop(7, 0.5, 3, True)
    words = ["--settings", file, "--lr=0.25", "--no-compile", "--batch-size=auto"]
    assert settle(*words).tables["loop"] == Loop(7, 0.25, None, False)
    assert settle(*words).tables["net"] == Net()


def test_a_commands_own_defaults_stand_behind_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[loop]\nepochs = 7\n", "utf-8")
    own = Loop(epochs=3, lr=1e-6, batch_size=4, features=9)
    assert settle(loop=own).tables["loop"] == own
    found = settle("--settings", file, "--batch-size", "auto", loop=own).tables["loop"]
    assert found == Loop(epochs=7, lr=1e-6, batch_size=None, features=9)
    result = CliRunner().invoke(make_app([], loop=own), ["--help"])
    assert "[default: 1e-06; above 0]" in result.output
    assert "as many as fit" not in result.output


@given(loop=loops.filter(lambda loop: len(loop.shares) > 0))
@example(loop=Loop(name="auto"))
def test_every_value_can_be_given_on_the_command_line(loop: Loop) -> None:
    words = {
        "--epochs": loop.epochs,
        "--lr": loop.lr,
        "--batch-size": "auto" if loop.batch_size is None else loop.batch_size,
        "--name": loop.name,
        "--gate": loop.gate,
        "--grid-cells": loop.kind.value,
        "--shares": ",".join(map(str, loop.shares)),
    }
    switches = ["--compile" if loop.compiled else "--no-compile"]
    if loop.mixed is not None:
        switches.append("--mixed" if loop.mixed else "--no-mixed")
    given_words = [f"{flag}={value}" for flag, value in words.items()]
    found = settle(*given_words, *switches).tables["loop"]
    assert found == loop
    assert isinstance(found.kind, Kind)


@given(loop=loops)
def test_a_written_file_repeats_the_settings(
    loop: Loop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "repeated.toml"
    written = Settings({"loop": loop, "net": Net(48, 6)})
    write_settings(file, written.tables)
    assert settle("--settings", file) == written


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--epochs=0"],
            "'--epochs': found '0'; expected a whole number, at least 1 and at most 100",
        ),
        (
            ["--epochs=1.0"],
            "'--epochs': found '1.0'; expected a whole number, at least 1 and at most 100",
        ),
        (
            ["--epochs=auto"],
            "'--epochs': found 'auto'; expected a whole number, at least 1 and at most 100",
        ),
        (["--epochs="], "'--epochs': found ''; expected a whole number"),
        ([f"--epochs={'9' * 5000}"], "expected a whole number, at least 1 and at most 100"),
        (["--lr=nan"], "'--lr': found 'nan'; expected a finite number, above 0"),
        (["--lr=inf"], "'--lr': found 'inf'; expected a finite number, above 0"),
        (["--lr=0"], "'--lr': found '0'; expected a finite number, above 0"),
        (["--lr=fast"], "'--lr': found 'fast'; expected a finite number, above 0"),
        (["--batch-size=0"], "found '0'; expected a whole number, at least 1, or auto"),
        (["--gate=open"], "'--gate': found 'open'; expected one of wide, narrow"),
        (["--grid-cells=soft"], "'--grid-cells': found 'soft'; expected one of fine, coarse"),
        (["--name=a\udcff"], r"'--name': found 'a\udcff'; expected text"),
        (["--shares=1,x"], "'--shares': found '1,x'; expected finite numbers, each at least 0"),
        (["--shares=1,-1"], "'--shares': found '1,-1'; expected finite numbers, each at least 0"),
        (["--shares="], "'--shares': found ''; expected finite numbers, each at least 0"),
        (["--width=100"], "net setting heads: found 8; expected a divisor of 100"),
        (["--features=8"], "No such option: --features"),
        (["--compile=1"], "--compile"),
    ],
)
def test_wrong_use_is_told_and_status_2(words: list[str], message: str) -> None:
    result, settings = run(*words)
    assert (result.exit_code, settings) == (2, None)
    assert message in result.output.splitlines()[-1]


def test_values_that_do_not_go_together_name_the_file_where_they_are_its_own(
    tmp_path: Path,
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[net]\nwidth = 100\n", "utf-8")
    result, _ = run("--settings", file, "--epochs=3")
    assert isinstance(result.exception, RunError)
    assert str(result.exception) == (
        f"table [net] of settings file {file}: net setting heads: found 8; expected a divisor of "
        "100"
    )
    assert settle("--settings", file, "--heads=5").tables["net"] == Net(100, 5)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result, _ = run("--settings", tmp_path / "none.toml")
    assert isinstance(result.exception, RunError)
    assert "none.toml: found No such file" in str(result.exception)


def test_two_options_of_one_name_are_a_mistake_in_the_program() -> None:
    with pytest.raises(ValueError, match="--epochs is of both one__epochs and two__epochs"):
        make_app([], one=Loop(), two=Loop())

    def decorate(*names: str) -> None:
        @with_settings(loop=Loop())
        def go(own: Annotated[int, typer.Option(*names)], settings: Settings) -> None: ...

    with pytest.raises(ValueError, match="--no-compile is of both own and loop__compiled"):
        decorate("--no-compile")
    with pytest.raises(ValueError, match="--epochs is of both own and loop__epochs"):
        decorate("--passes", "--epochs")
    with pytest.raises(ValueError, match="--settings is of both own and settings"):
        decorate("--settings")


def test_help_groups_options_by_table_and_shows_what_holds() -> None:
    result = CliRunner().invoke(make_app([], loop=Loop(), net=Net()), ["--help"])
    sections = " ".join(result.output.split()).split("Options of ")
    own, loop, net = sections[0], sections[1], sections[2]
    assert {"--out", "--times", "--settings", "--help"} <= set(own.split())
    assert loop.startswith(
        "[loop]: --epochs <int> Passes over the rows. [default: 30; at least 1 and at most 100]"
    )
    for words in (
        "[default: 0.0003; above 0]",
        "[default: as many as fit; at least 1]",
        "--compile / --no-compile Compile the model. [default: false; key: compiled]",
        "[default: where they are drawn anew]",
        "--gate <wide|narrow> Kind of gate. [default: wide]",
        "--grid-cells <fine|coarse> Kind of grid. [default: fine; key: kind]",
        "--shares <float,...> Shares of levels. [default: 0.5,0.5; at least 0]",
    ):
        assert words in loop
    assert "--features" not in result.output
    assert net.startswith("[net]: --width <int>")


def test_every_field_of_a_trainings_settings_is_an_option_with_words_for_none() -> None:
    result = CliRunner().invoke(make_app([], **ALL), ["--help"])
    assert result.exit_code == 0
    kinds: list[type] = [type(values) for values in ALL.values()]
    described = [one for kind in kinds for one in settings_of(kind)]
    for one in described:
        if one.flag:
            assert f" {one.flag} " in result.output
            assert bool(one.unset) == one.optional, one.name
    hidden = {one.name for one in described if not one.flag}
    assert hidden == {"features", "views", "precision", "adapter"}


def test_all_settings_of_a_training_are_written_and_read(tmp_path: Path) -> None:
    changed = ALL | {"optimizer": OptimizerSettings("lion", 1e-5, layer_decay=0.7)}
    write_settings(tmp_path / "settings.toml", changed)
    assert settle("--settings", tmp_path / "settings.toml", **ALL).tables == changed


def test_settings_and_their_options_import_no_torch() -> None:
    program = (
        "import sys\n"
        "from tests.model.commands.test_settings_options import ALL, CliRunner, make_app\n"
        "result = CliRunner().invoke(make_app([], **ALL), ['--help'])\n"
        "assert '--adapter-rank' in result.output\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
