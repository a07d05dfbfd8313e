"""An export: from a checkpoint to a folder that holds all that a miner runs."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data.atomic_files import atomic_folder
from data.digests import file_digest
from data.errors import RunError
from data.progress import Progress, silent
from data.store import Store
from model.checkpoint.backbone_in_card import backbone_of
from model.checkpoint.checkpoint import Checkpoint, load_checkpoint
from model.checkpoint.predictor import CheckpointPredictor, PredictorSettings, answers_fingerprint
from model.export.agreement import (
    BF16_BOUND,
    BOUND,
    check_agreement,
    drawn_pictures,
    measure_latency,
)
from model.export.card import DETECTOR, NETWORK, README, ExportCard, card_content
from model.export.command_line_name import CARD
from model.export.described import checkpoint_numbers, comparison_numbers, network_numbers
from model.export.detector import CONFIG
from model.export.miner_files import config_content, detector_content
from model.export.network import ExportedNetwork
from model.export.onnx_file import OPSET, onnx_content
from model.export.predictor import load_detector
from model.export.readme import readme_content
from model.export.threshold import Threshold, ThresholdRequest, chosen_threshold
from replay.candidates.predictor import TRAINING_ROWS, Batch, Predictions
from replay.comparing.with_miners import CompareSettings


@dataclass(frozen=True)
class ExportSettings:
    """Which threshold is moved into the network, how it is found, and ONNX's opset."""

    threshold: ThresholdRequest = field(default_factory=ThresholdRequest)
    compare: CompareSettings = field(default_factory=CompareSettings)
    opset: int = OPSET


@dataclass(frozen=True)
class ExportReport:
    """The folder that was written, and its card."""

    out: str
    card: ExportCard


@dataclass(frozen=True)
class _Network:
    """The network's file, the checkpoint's answers to the drawn pictures, and what it is of."""

    content: bytes
    expected: Predictions
    checkpoint: Checkpoint
    threshold: Threshold


def export(
    store: Store,
    folder: Path,
    out: Path,
    settings: ExportSettings = ExportSettings(),
    *,
    progress: Progress = silent,
) -> ExportReport:
    """Write what a miner runs of a checkpoint, whole or not at all.

    Its answers are held against the checkpoint's before anything stands in `out`.

    Args:
        store: with the replays that a threshold is from.
        folder: of the checkpoint.
        out: not there yet, or an empty folder.
        settings: threshold and opset.
        progress: shows the comparison that the threshold is from.

    Raises:
        RunError: no whole checkpoint, a folder that holds something, a run that is not the
            checkpoint's, a network that cannot be written, or answers that differ.
        WriteError: the folder cannot be written.
    """
    _check_out(out)
    network = _network(store, folder, settings, progress)
    with atomic_folder(out) as temporary:
        files = _write_files(temporary, network)
        card = _card(temporary, folder, network, files, settings.opset)
        name = f"{folder.expanduser().resolve().name} on {card.checkpoint['backbone']}"
        (temporary / README).write_bytes(readme_content(name, card))
        (temporary / CARD).write_bytes(card_content(card))
    return ExportReport(str(out), card)


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise RunError(f"--out {out}", found="a file", expected="a folder")
    if out.is_dir() and any(out.iterdir()):
        raise RunError(
            f"--out {out}",
            found="a folder that is not empty",
            expected="an empty or new one",
            remedy="name another folder, or delete this one",
        )


def _network(store: Store, folder: Path, settings: ExportSettings, progress: Progress) -> _Network:
    checkpoint = load_checkpoint(folder)
    backbone = backbone_of(checkpoint, "cpu")
    plain = PredictorSettings()
    fingerprints = {
        answers_fingerprint(checkpoint, backbone, plain, device) for device in ("cpu", "cuda")
    }
    draws = 2 * settings.compare.bootstrap.draws
    with progress("bootstrap draws", draws) as on_progress:
        threshold = chosen_threshold(
            store, fingerprints, settings.threshold, settings.compare, on_progress
        )
    pictures = drawn_pictures()
    predictor = CheckpointPredictor(checkpoint, backbone, folder.name, plain)
    expected = predictor.predict(Batch([""] * len(pictures), pictures))
    # last: it merges the adapters into the backbone
    module = ExportedNetwork(backbone, checkpoint.model, threshold.shift)
    return _Network(onnx_content(module, settings.opset), expected, checkpoint, threshold)


def _write_files(folder: Path, network: _Network) -> dict[str, str]:
    """Write all but the card and the README; the SHA-256 of each."""
    (folder / NETWORK).write_bytes(network.content)
    config = config_content(NETWORK, file_digest(folder / NETWORK))
    for name, content in ((DETECTOR, detector_content()), (CONFIG, config)):
        (folder / name).write_bytes(content)
    names = [NETWORK, DETECTOR, CONFIG]
    if network.checkpoint.training_rows is not None:
        shutil.copyfile(network.checkpoint.training_rows, folder / TRAINING_ROWS)
        names.append(TRAINING_ROWS)
    return {name: file_digest(folder / name) for name in names}


def _card(
    written: Path, folder: Path, network: _Network, files: Mapping[str, str], opset: int
) -> ExportCard:
    """Run the files as a miner does, and describe them.

    Raises:
        RunError: onnxruntime cannot load the network, or it answers otherwise than the checkpoint.
    """
    checkpoint, threshold = network.checkpoint, network.threshold
    detector = load_detector(written)
    bound = BOUND if checkpoint.card.settings.precision == "fp32" else BF16_BOUND
    agreement = check_agreement(detector, network.expected, threshold.shift, bound)
    compared = None if threshold.comparison is None else comparison_numbers(threshold.comparison)
    described: dict[str, Any] = {
        "checkpoint": checkpoint_numbers(folder, checkpoint),
        "network": network_numbers(len(network.content), opset),
        "threshold": threshold.as_json(),
        "agreement": asdict(agreement),
        "latency": asdict(measure_latency(detector)),
    }
    return ExportCard(files=files, comparison=compared, **described)
