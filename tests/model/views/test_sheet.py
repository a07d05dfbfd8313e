import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image as PILImage
from typer.testing import CliRunner

from analytics.warehouse.connection import writing
from data.errors import RunError, SourceError
from data.store import Store
from model.commands.views import app
from model.views.sheet import ViewShares, draw_views, open_picture
from model.views.views import VIEW_NAMES, view_boxes
from replay.candidates.predictor import Image
from tests.worlds.stores import picture


def black(height: int, width: int) -> Image:
    return np.zeros((height, width, 3), np.uint8)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture((90, 60)).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def test_the_command_draws_a_png_and_lists_the_boxes(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "views.png"
    done = CliRunner().invoke(app, [str(photo), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    listed = json.loads(done.stdout)["views"]
    assert [view["name"] for view in listed] == list(VIEW_NAMES)
    assert [tuple(view["box"]) for view in listed] == list(view_boxes(60, 90))
    with PILImage.open(out) as drawn:
        assert drawn.format == "PNG"


def test_shares_and_gates_are_those_of_the_run(photo: Path, tmp_path: Path, store: Store) -> None:
    with writing(store) as writer:
        for run, model in (("replay-a", "gated"), ("replay-b", "orange")):
            writer.connection.execute(
                "INSERT INTO replay_runs BY NAME SELECT ? AS run_id, ? AS model, "
                "false AS uses_metadata, now()::TIMESTAMP AS finished, 2 AS selected, "
                "2 AS predicted, '{}' AS settings",
                [run, model],
            )
        rows = [
            ("replay-a", challenge, view, (view + index) / 20, (view + index) / 90)
            for index, challenge in enumerate("xy")
            for view in range(1, 13)
        ]
        writer.connection.executemany("INSERT INTO replay_gates VALUES (?, ?, ?, ?, ?)", rows)
    options = [str(photo), "--out", str(tmp_path / "v.png"), "--store", str(store.root), "--json"]
    done = CliRunner().invoke(app, [*options, "--run", "replay-a"])
    assert done.exit_code == 0, done.output
    listed = json.loads(done.stdout)["views"]
    for name, divisor in (("gate", 20), ("share", 90)):
        means = [view[name] for view in listed]
        assert means == pytest.approx([(view + 0.5) / divisor for view in range(1, 13)])
    without = CliRunner().invoke(app, [*options, "--run", "replay-b"])
    assert isinstance(without.exception, RunError)
    assert str(without.exception) == (
        "gates of replay-b (orange): found those of 0 views; expected 12; "
        "name the replay of a model with gates"
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.jpg", None, "No such file"),
        ("torn.jpg", b"\xff\xd8\xff\xe0", "image"),
        ("other.gif", b"GIF89a", "cannot identify"),
    ],
)
def test_what_is_no_picture_is_one_clear_line(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=words) as raised:
        open_picture(path)
    assert "\n" not in str(raised.value)


def test_a_picture_of_too_many_pixels_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PILImage.new("RGB", (50, 50)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(PILImage, "MAX_IMAGE_PIXELS", 2000)
    with pytest.raises(SourceError, match="decompression bomb"):
        open_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize("out", ["views.jpg", "missing/views.png", "."])
def test_a_page_that_cannot_be_written_is_refused_first(
    photo: Path, tmp_path: Path, out: str
) -> None:
    done = CliRunner().invoke(app, [str(photo), "--out", str(tmp_path / out)])
    assert isinstance(done.exception, SourceError)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1)])
def test_any_image_can_be_drawn(size: tuple[int, int]) -> None:
    assert isinstance(draw_views(black(*size), 8, "$x_y$\n\x1b[31m"), Figure)


@pytest.mark.parametrize("wrong", [[0.5] * 11, [0.5] * 11 + [1.1], [float("nan")] * 12])
def test_shares_and_gates_must_be_one_number_a_view(wrong: list[float]) -> None:
    with pytest.raises(RunError, match=r"^shares: .*12 numbers of 0 to 1"):
        draw_views(black(9, 9), 8, "x", ViewShares(wrong, [0.5] * 12, "y"))
    with pytest.raises(RunError, match=r"^gates: .*12 numbers of 0 to 1"):
        draw_views(black(9, 9), 8, "x", ViewShares([0.5] * 12, wrong, "y"))


def test_colours_span_the_shares_however_small() -> None:
    small, large, shut = (
        ViewShares([factor * view for view in range(12)], [0.5] * 12, "").colours()
        for factor in (1 / 1024, 1 / 16, 0)
    )
    assert small == large
    assert len(set(small)) == 12
    assert len(set(shut)) == 1
