import pytest
import timm
import torch

from data.errors import RunError
from model.backbone.blocks import blocks_of


@pytest.mark.parametrize(
    ("name", "count", "last_two"),
    [
        ("test_vit", 6, ("blocks.4.", "blocks.5.", "norm.")),
        ("vit_small_patch16_dinov3", 12, ("blocks.10.", "blocks.11.", "norm.")),
        ("test_convnext", 9, ("stages.3.", "head.norm.")),
        ("test_resnet", 4, ("layer3.", "layer4.")),
        ("test_efficientnet", 5, ("blocks.3.", "blocks.4.", "conv_head.", "bn2.")),
    ],
)
def test_last_blocks_are_all_from_there_to_the_end(
    name: str, count: int, last_two: tuple[str, ...]
) -> None:
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=0)
    blocks = blocks_of(model, name)
    names = set(model.state_dict())
    assert len(blocks.blocks) == count
    assert blocks.last(2) == {key for key in names if key.startswith(last_two)}
    assert blocks.last(count) < names
    assert not set.intersection(*map(set, blocks.blocks))


def test_a_model_without_blocks_is_refused() -> None:
    with pytest.raises(RunError) as raised:
        blocks_of(torch.nn.Linear(2, 2), "a linear layer")
    assert str(raised.value) == (
        "blocks of a linear layer: found none that timm knows of; "
        "expected a model of several blocks; train all of it, or none"
    )
