import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import RunError
from model.checkpoint.card import read_card
from model.checkpoint.checkpoint import load_checkpoint
from tests.model.checkpoint.random_checkpoint import (
    CARD,
    VIEWS,
    a_checkpoint,
    rewrite_card,
)


def test_a_card_that_asks_for_a_million_layers_is_refused_at_once(tmp_path: Path) -> None:
    a_checkpoint(tmp_path)
    settings = json.loads((tmp_path / "model.json").read_text())["settings"]
    rewrite_card(tmp_path, settings=settings | {"layers": 2**26})
    with pytest.raises(RunError, match=r"layers: found 67108864; expected .*at most 1000"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"format": "other"}, r"found format and version \('other', 3\)"),
        ({"version": 2}, r"expected \('streetreplay-model', 3\).*train again"),
        ({"settings": {"width": 32}}, "missing .*'features'"),
        ({"settings": 3}, "exactly the settings"),
        ({"views": "wide"}, "views in .* expected an object"),
        ({"backbone": 3}, "backbone in .* found 3; expected text"),
        ({"sha256": None}, r"found no hash of model\.safetensors"),
    ],
)
def test_a_card_of_another_kind_is_refused(
    tmp_path: Path, changed: dict[str, Any], named: str
) -> None:
    rewrite_card(a_checkpoint(tmp_path), **changed)
    with pytest.raises(RunError, match=named):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{}", "[" * 100_000, '{"format": '])
def test_a_damaged_card_is_refused(tmp_path: Path, text: str) -> None:
    (a_checkpoint(tmp_path) / "model.json").write_text(text)
    with pytest.raises(RunError, match=r"model\.json"):
        read_card(tmp_path)


def test_a_card_without_a_part_is_refused(tmp_path: Path) -> None:
    path = a_checkpoint(tmp_path) / "model.json"
    written = json.loads(path.read_text())
    del written["backbone"]
    path.write_text(json.dumps(written))
    with pytest.raises(RunError, match="found no 'backbone'"):
        load_checkpoint(tmp_path)


def test_another_backbone_is_refused_with_both_names() -> None:
    as_tuples = VIEWS | {"mean": (0.5, 0.5, 0.5)}
    CARD.check_backbone("test_convnext.r160_in1k", "abc", as_tuples)
    with pytest.raises(RunError, match=r"backbone: found vit; expected test_convnext.r160_in1k"):
        CARD.check_backbone("vit", "abc", VIEWS)
    with pytest.raises(RunError, match=r"weights of the backbone: found xyz; expected abc"):
        CARD.check_backbone("test_convnext.r160_in1k", "xyz", VIEWS)
    with pytest.raises(RunError, match=r"geometry of the views: found .*224.* expected .*160"):
        CARD.check_backbone("test_convnext.r160_in1k", "abc", VIEWS | {"side": 224})
