"""Limits on what an untrusted configuration may ask for."""

from typing import Any

import pytest
import transformers

from tests.replay.candidates.huggingface_models import edit, folder_of
from tests.replay.candidates.loaded_candidates import refusal


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"intermediate_size": 2**26},
            "numbers; expected 4,429,190,802, which the configuration asks for",
        ),
        ({"hidden_size": 2**26}, "(1, 1, 16) for (1, 1, 67108864)"),
        ({"image_size": 2**16}, "embeddings.position_embeddings (1, 17, 16) for (1, 67108865, 16)"),
        ({"num_hidden_layers": 2**26}, "num_hidden_layers 67108864; expected at most the 4"),
        ({"num_labels": 2**26, "id2label": None, "label2id": None}, "num_labels 67108864"),
    ],
)
def test_a_configuration_that_asks_for_far_more_than_the_weights_hold_is_refused_unread(
    vit: str, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr("replay.candidates.huggingface.load_file", None)  # no tensor is read before
    edit(vit, **changes)
    assert said in refusal(vit)


def test_a_processor_that_enlarges_beyond_reason_is_refused(vit: str) -> None:
    processor: Any = transformers.ViTImageProcessor(size={"height": 2**15, "width": 2**15})
    processor.save_pretrained(folder_of(vit))
    assert "size 32768; expected at most 4096 pixels a side" in refusal(vit)
