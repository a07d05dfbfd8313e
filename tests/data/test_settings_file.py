"""Files of settings: what is written reads back, and a mistake is one line that names its place."""

import os
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given

from data.errors import RunError, WriteError
from data.settings_file import read_settings, write_settings
from tests.data.example_settings import TABLES, Kind, Loop, Net, loops


def read(folder: Path, text: str | bytes) -> dict[str, dict[str, Any]]:
    file = folder / "settings.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_settings(file, TABLES)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(RunError) as refused:
        read(folder, text)
    line = str(refused.value)
    assert len(line.splitlines()) == 1
    assert str(folder / "settings.toml") in line
    return line.replace(str(folder / "settings.toml"), "FILE")


@given(loop=loops)
@example(loop=Loop(name='"\\\x00\t\n\r\x1f\x7f\x85\u2028\ufeff\U0001f6a7 # [net] = \'\'\'"""'))
@example(loop=Loop(lr=5e-324, shares=(1e22, 1.7976931348623157e308, 0.1, -0.0)))
@example(loop=Loop(lr=1, shares=(np.float64(0.1), 3)))
@example(loop=Loop(name="auto"))
@example(loop=Loop(shares=(), mixed=None, batch_size=10**30))
def test_written_settings_read_back(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "written.toml"
    write_settings(file, {"loop": loop, "net": Net(48, 6)})
    found = read_settings(file, TABLES)
    assert Loop(**found["loop"]) == loop
    assert Net(**found["net"]) == Net(48, 6)
    # whole numbers are equal to floats, and would still be other settings in a card
    assert isinstance(found["loop"]["lr"], float)
    assert all(type(share) is float for share in found["loop"]["shares"])
    assert isinstance(found["loop"]["kind"], Kind)


def test_what_a_person_cannot_set_is_not_written(tmp_path: Path) -> None:
    write_settings(tmp_path / "settings.toml", {"loop": Loop(features=9), "net": Net()})
    written = tomllib.loads((tmp_path / "settings.toml").read_text("utf-8"))
    assert "features" not in written["loop"]
    assert written["net"] == {"width": 64, "heads": 8}
    assert "features" in refusal(tmp_path, "[loop]\nfeatures = 9")


def test_a_file_gives_values_of_the_settings_types(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        b"\xef\xbb\xbf# from Windows\r\n[loop]\r\nlr = 1\r\nbatch_size = 'auto'\r\nmixed = false"
        b"\r\nkind = 'coarse'\r\nshares = [1, 0.5]\r\n",
    )
    expected = {
        "lr": 1.0,
        "batch_size": None,
        "mixed": False,
        "kind": Kind.COARSE,
        "shares": (1.0, 0.5),
    }
    assert found == {"loop": expected}
    assert type(found["loop"]["lr"]) is float
    assert read(tmp_path, "") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[lopo]", "found an unknown table lopo; expected [loop]"),
        ("[optimizer]\nlr = 1", "found an unknown table optimizer; expected one of the tables ["),
        ("lr = 1", "found an unknown key lr; expected it in [loop]"),
        ("speed = 1", "found an unknown key speed; expected one of the tables [loop], [net]"),
        ("loop = 3", "found loop = 3; expected a table [loop]"),
        ("[[loop]]\nlr = 1", "found loop = [{'lr': 1}]; expected a table [loop]"),
        (
            "[loop]\nepoch = 3",
            "table [loop] of settings file FILE: found an unknown key epoch; expected epochs",
        ),
        ("[loop]\nbatch-size = 3", "unknown key batch-size; expected batch_size"),
        ("[loop]\ncompile = true", "unknown key compile; expected compiled"),
        ("[loop]\ngrid-cells = 1", "unknown key grid-cells; expected kind"),
        ("[loop]\ngrid_cells = 1", "unknown key grid_cells; expected kind"),
        ("[loop]\nheads = 8", "unknown key heads; expected it in table [net]"),
        ("[net]\nqqq = 8", "unknown key qqq; expected one of width, heads"),
        ('[net]\n"\\u001b[31m" = 8', r"unknown key \x1b[31m; expected"),
        (
            "[loop]\nepochs = 0",
            "epochs in table [loop] of settings file FILE: found 0; "
            "expected a whole number, at least 1 and at most 100",
        ),
        ("[loop]\nepochs = 1.0", "found 1.0; expected a whole number"),
        ("[loop]\nepochs = true", "found True; expected a whole number"),
        (
            "[loop]\nepochs = 'auto'",
            "found 'auto'; expected a whole number, at least 1 and at most 100",
        ),
        ("[loop]\nlr = nan", "found nan; expected a finite number, above 0"),
        ("[loop]\nlr = inf", "found inf; expected a finite number, above 0"),
        ("[loop]\nlr = true", "found True; expected a finite number"),
        ("[loop]\nlr = '0.1'", "found '0.1'; expected a finite number"),
        ("[loop]\nlr = 2026-01-01", "found datetime.date(2026, 1, 1); expected a finite number"),
        (f"[loop]\nlr = 1{'0' * 400}", "expected a finite number"),
        (f"[loop]\nlr = 0x1{'0' * 9000}", "found a int too large to show; expected a finite"),
        ("[loop]\nbatch_size = 0", "found 0; expected a whole number, at least 1, or auto"),
        ("[loop]\ncompiled = 1", "found 1; expected true or false"),
        ("[loop]\nkind = 'soft'", "found 'soft'; expected one of fine, coarse"),
        ("[loop]\nkind = ['fine']", "found ['fine']; expected one of fine, coarse"),
        ("[loop]\nshares = 1", "found 1; expected finite numbers, each at least 0"),
        ("[loop]\nshares = [1, -1]", "found [1, -1]; expected finite numbers, each at least 0"),
        ("[loop]\nshares = [true]", "found [True]; expected finite numbers"),
        ("[loop]\nshares = [[1]]", "found [[1]]; expected finite numbers"),
        ("[loop]\nlr.x = 1", "found {'x': 1}; expected a finite number"),
        ("[loop", "found no TOML: "),
        ("[loop]\nlr = 1\nlr = 2", "found no TOML: "),
        (f"[loop]\nlr = 1{'0' * 5000}", "found no TOML: "),
        (b"\xff\xfe[\x00", "found no TOML: "),
        (b"PK\x03\x04\x00\x00", "found no TOML: "),
        (f"x = {'[' * 100_000}", "found values nested too deep; expected a TOML file"),
    ],
)
def test_a_mistake_in_a_file_is_one_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    with pytest.raises(RunError, match=r"settings\.toml: found No such file or directory"):
        read_settings(file, TABLES)
    file.mkdir()
    with pytest.raises(RunError, match=r"settings\.toml: found Is a directory; expected a TOML"):
        read_settings(file, TABLES)


def test_a_failed_write_leaves_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    write_settings(file, {"net": Net()})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match=r"settings\.toml: found No space left"):
        write_settings(file, {"net": Net(32)})
    assert Net(**read_settings(file, TABLES)["net"]) == Net()
