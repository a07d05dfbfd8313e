"""A detector of roadwork for the public StreetVision miner, which runs an exported network.

It needs onnxruntime, numpy, Pillow and PyYAML, and nothing of StreetReplay: `export` writes it
beside the network, with the lines that register it at the miner. `replay --model` runs the same
class on the same network, so that what is deployed is what was scored.
"""

import hashlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import yaml
from PIL import Image

NAME = "STREETREPLAY"
CONFIG = "streetreplay.yaml"

_HERE = Path(__file__).resolve().parent
_log = logging.getLogger(__name__)


class StreetReplayDetector:
    """Answers with the probability of roadwork in an image.

    Args:
        model_name: what the miner calls it.
        config_name: a YAML file, or the name of one beside this file or in `configs` beside it. It
            has `network`, a file beside it; `sha256`, the file's; and `threads`, how many
            processors it uses (null: all).
        device: `cpu`, or `cuda` if onnxruntime has it.

    Raises:
        FileNotFoundError: no such YAML file, or not the file that it names.
        ValueError: the network is not the one that the YAML file names.
    """

    def __init__(
        self, model_name: str = NAME, config_name: str = CONFIG, device: Any = "cpu"
    ) -> None:
        self.model_name, self.config_name = model_name, config_name
        # a miner that routes images gives a torch.device
        self.device = str(device)
        self.load_model()

    def load_model(self) -> None:
        """Read the YAML file and the network that it names, and check that it is that one."""
        config_file = _found(self.config_name)
        config = yaml.safe_load(config_file.read_text(encoding="utf-8"))
        network_file = config_file.parent / Path(config["network"]).name
        if not network_file.is_file():
            raise FileNotFoundError(f"{network_file}: no such file, which {config_file} names")
        network = network_file.read_bytes()
        found = hashlib.sha256(network).hexdigest()
        if found != config["sha256"]:
            raise ValueError(
                f"{network_file}: found sha256 {found}; expected {config['sha256']}, as "
                f"{config_file} says; copy both files of one export"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only
        options.intra_op_num_threads = config.get("threads") or 0
        self.session = onnxruntime.InferenceSession(network, options, providers=self._providers())

    def _providers(self) -> list[Any]:
        processor = ["CPUExecutionProvider"]
        if not self.device.startswith("cuda"):
            return processor
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            _log.warning("this onnxruntime has no CUDA: %s runs on the processor", self.model_name)
            return processor
        # TF32 keeps 10 bits of a number
        return [("CUDAExecutionProvider", {"use_tf32": "0"}), *processor]

    def __call__(self, image: Image.Image) -> float:
        """The probability of roadwork, 0 to 1, in an image of any size and mode."""
        return self.answer(np.asarray(image.convert("RGB")))[0]

    def answer(self, pixels: npt.NDArray[np.uint8]) -> tuple[float, npt.NDArray[np.float32]]:
        """The probability of roadwork, and how open the gate of each of the 12 views was.

        Args:
            pixels: uint8 (H, W, 3) RGB.

        Returns:
            The probability, 0 to 1, and the gates, float32 (12,), 0 to 1.
        """
        probability, gates = self.session.run(None, {"pixels": np.ascontiguousarray(pixels)})
        return float(probability), gates


def _found(config_name: str) -> Path:
    for file in (Path(config_name), _HERE / "configs" / config_name, _HERE / config_name):
        if file.is_file():
            return file.resolve()
    raise FileNotFoundError(f"{config_name}: no such file, nor in {_HERE} or configs in it")
