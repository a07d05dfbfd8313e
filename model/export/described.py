"""What an export's card says of the checkpoint, of the network and of a comparison."""

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.checkpoint.checkpoint import Checkpoint
from replay.comparing.results import Comparison

_PACKAGES = ("onnx", "onnxruntime", "onnxscript", "timm", "torch")


def checkpoint_numbers(folder: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    """Which checkpoint it is, how it was trained, and its own score: MCC on n validation images.

    Args:
        folder: of the checkpoint.
        checkpoint: as it was loaded.
    """
    card = checkpoint.card
    training = card.training
    epoch = training.get("epoch") or {}
    validation = {name: epoch.get(name) for name in ("epoch", "mcc", "n")}
    return {
        "name": folder.expanduser().resolve().name,
        "sha256": checkpoint.sha256,
        "backbone": card.backbone,
        "backbone_fingerprint": card.backbone_fingerprint,
        "backbone_trained": card.backbone_trained,
        "precision": card.settings.precision,
        "run_id": training.get("run_id"),
        "metadata": training.get("metadata"),
        "training_rows": training.get("training_rows"),
        "validation_rows": training.get("validation_rows"),
        "validation": None if None in validation.values() else validation,
        "note": training.get("note"),
    }


def network_numbers(size: int, opset: int) -> dict[str, Any]:
    """The network's inputs and outputs in words, its size in bytes, and what wrote it."""
    return {
        "pixels": "uint8 (height, width, 3), RGB, any height and width from 1",
        "probability": "float64, of roadwork, 0 to 1",
        "gates": "float32 (12,), how open the gate of each view was, 0 to 1",
        "opset": opset,
        "bytes": size,
        "versions": {package: version(package) for package in _PACKAGES},
    }


def comparison_numbers(comparison: Comparison) -> dict[str, Any]:
    """The candidate's own numbers and its ranks; of all answers without the shift."""
    candidate = comparison.candidate
    return {
        "run_id": comparison.run_id,
        "uses_metadata": comparison.uses_metadata,
        "n": candidate.n,
        "images": comparison.images,
        "exact": comparison.exact,
        "distributions": comparison.distributions,
        "accuracy": candidate.accuracy,
        "mcc": candidate.mcc,
        "mcc_interval": comparison.mcc_interval,
        "auc": candidate.auc,
        "reward": candidate.reward,
        "ranks": {name: asdict(rank) for name, rank in comparison.ranks.items()},
        "left_out": comparison.left_out,
        "overlap_checked": comparison.overlap_checked,
        "level": comparison.level,
        "draws": comparison.draws,
    }
