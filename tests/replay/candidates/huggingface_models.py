"""Small random image classifiers, saved as transformers saves them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

VIT = transformers.ViTConfig(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    image_size=32,
    patch_size=8,
)


CONVNEXT = transformers.ConvNextConfig(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1])


RESNET = transformers.ResNetConfig(
    embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
)


SWIN = transformers.SwinConfig(
    image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4
)


LABELS = ("None", "Roadwork")


def saved(
    folder: Path,
    config: Any = VIT,
    labels: Sequence[str] = LABELS,
    *,
    seed: int = 0,
    head_scale: float = 50,
    **more: Any,
) -> str:
    """Save a random classifier and its image processor; the name that loads it.

    Random heads are so small that every answer would be near 0.5: their weights are multiplied.
    """
    bars: Any = transformers.utils.logging
    bars.disable_progress_bar()
    names = {"id2label": dict(enumerate(labels)), "label2id": {k: i for i, k in enumerate(labels)}}
    settings = config.to_dict() | names | more
    torch.manual_seed(seed)
    auto: Any = transformers.AutoModelForImageClassification
    model = auto.from_config(type(config).from_dict(settings))
    head = model.classifier if hasattr(model.classifier, "weight") else model.classifier[-1]
    with torch.no_grad():
        head.weight.mul_(head_scale)
    model.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    processor: Any = transformers.ViTImageProcessor(size=size)
    processor.save_pretrained(folder)
    return f"hf:{folder}"


def folder_of(name: str) -> Path:
    return Path(name.removeprefix("hf:"))


def edit(name: str, **changes: Any) -> None:
    """Change keys of config.json."""
    path = folder_of(name) / "config.json"
    written = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(written), encoding="utf-8")
