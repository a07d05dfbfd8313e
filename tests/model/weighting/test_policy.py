"""The policy of weights: what is bundled, and what is refused."""

from pathlib import Path

import pytest

from data.errors import RunError
from data.settings_file import write_settings
from model.weighting.policy import GpsPolicy, WeightPolicy, read_policy


def test_the_bundled_policy_names_every_default() -> None:
    assert read_policy() == WeightPolicy()
    from importlib import resources  # noqa: PLC0415
    from tomllib import loads  # noqa: PLC0415

    file = resources.files("model.weighting").joinpath("default_policy.toml")
    written = loads(file.read_text("utf-8"))
    assert {name: list(table) for name, table in written.items()} == {
        name: list(vars(part)) for name, part in WeightPolicy().tables.items()
    }


def test_a_written_policy_reads_back_and_what_is_left_out_is_the_default(tmp_path: Path) -> None:
    policy = WeightPolicy(gps=GpsPolicy(latitudes=(39.7,), longitudes=(-105.0,), near=7.0))
    write_settings(tmp_path / "policy.toml", policy.tables)
    assert read_policy(tmp_path / "policy.toml") == policy
    (tmp_path / "short.toml").write_text("[balance]\nuse = false\n")
    short = read_policy(tmp_path / "short.toml")
    assert not short.balance.use
    assert short.gps == GpsPolicy()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[weather]\nuse = true\n", "an unknown table weather; expected one of the tables [gps]"),
        ("[gates]\nstrenght = 1\n", "an unknown key strenght; expected strength"),
        ("[slices]\nmost = 0.5\n", "found 0.5; expected a finite number, at least 1"),
        ("[gps]\nnear = -1\n", "found -1; expected a finite number, at least 0"),
        ("[gps]\nnear = nan\n", "expected a finite number"),
        ("[gps]\nnear_km = 300.0\n", "expected rising distances"),
        ("[gps]\nlatitudes = [39.0]\n", "1 and 0 numbers; expected one of each"),
        ("[gps]\nlatitudes = [91.0]\nlongitudes = [0.0]\n", "each at least -90 and at most 90"),
        ("gps = 1\n", "expected a table [gps]"),
        ("[gps", "no TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(RunError) as refused:
        read_policy(file)
    line = str(refused.value)
    assert words in line
    assert str(file) in line
    assert "\n" not in line


def test_a_missing_policy_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No such file"):
        read_policy(tmp_path / "none.toml")
