"""An export as a candidate: the class that a miner runs, on the network that it runs."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime

from data.errors import RunError
from model.export.card import DETECTOR, NETWORK, ExportCard, check_files, read_card
from model.export.command_line_name import export_folder
from model.export.detector import CONFIG, StreetReplayDetector
from model.export.miner_files import detector_content
from model.views.views import VIEWS
from replay.candidates.predictor import TRAINING_ROWS, Batch, Predictions

# Raised when the same export would answer differently by this code.
_VERSION = 1


class ExportPredictor:
    """Predictor: an export's network, run image by image; it never gets metadata."""

    wants_metadata = False

    def __init__(self, folder: Path, card: ExportCard, detector: StreetReplayDetector) -> None:
        """Take a loaded detector.

        Args:
            folder: of the export.
            card: its own, whose files were checked.
            detector: on its network.
        """
        self.name = f"{folder.resolve().name} (ONNX) on {card.checkpoint['backbone']}"
        self.training_rows = folder / TRAINING_ROWS if TRAINING_ROWS in card.files else None
        self._detector = detector
        self.fingerprint = _fingerprint(card, detector)

    def predict(self, batch: Batch) -> Predictions:
        """Probability of roadwork and the 12 gates of each image."""
        answers = [self._detector.answer(image) for image in batch.images]
        gates = np.array([gates for _, gates in answers], np.float32).reshape(-1, VIEWS)
        return Predictions(np.array([answer for answer, _ in answers], np.float64), gates)


def load_export(folder: Path) -> ExportPredictor:
    """The candidate in an export's folder; on CUDA if onnxruntime has it.

    The code in the folder is never run: this package's own is, and has to be the same.

    Raises:
        RunError: no export, files that were altered, a detector of another version of StreetReplay,
            or a network that onnxruntime cannot load.
    """
    card = read_card(folder)
    check_files(folder, card)
    if (folder / DETECTOR).read_bytes() != detector_content():
        raise RunError(
            str(folder / DETECTOR),
            found="the detector of another version of StreetReplay",
            expected="this version's, so that what is deployed is what is scored",
            remedy="export again",
        )
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    detector = load_detector(folder, "cuda" if has_cuda else "cpu")
    return ExportPredictor(folder, card, detector)


def load_detector(folder: Path, device: str = "cpu") -> StreetReplayDetector:
    """The detector of an export, as a miner loads it.

    Raises:
        RunError: onnxruntime cannot load the network.
    """
    try:
        return StreetReplayDetector(config_name=str(folder / CONFIG), device=device)
    # onnxruntime raises kinds of its own, which have no base but Exception
    except Exception as error:
        words = " ".join(str(error).split())[:200]
        raise RunError(
            str(folder / NETWORK),
            found=words,
            expected=f"a network that onnxruntime {onnxruntime.__version__} loads",
            remedy="leave out --opset, or export again",
        ) from error


def load_named(name: str) -> ExportPredictor:
    """The candidate that `[export:]DIR` names."""
    return load_export(export_folder(name))


def _fingerprint(card: ExportCard, detector: StreetReplayDetector) -> str:
    """A hash of all that answers depend on."""
    identity = {
        "version": _VERSION,
        "files": {name: card.files[name] for name in sorted(card.files) if name != TRAINING_ROWS},
        "onnxruntime": onnxruntime.__version__,
        "providers": detector.session.get_providers(),
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
