"""The files beside the network that a miner needs: the detector, registered, and its YAML."""

from pathlib import Path

import yaml

from model.export import detector

_REGISTERED = f"""

# The miner's own registry: `import` this module where it imports its detectors.
from base_miner.registry import DETECTOR_REGISTRY  # noqa: E402

DETECTOR_REGISTRY.register_module(module_name=NAME)({detector.StreetReplayDetector.__name__})
"""


def detector_content() -> bytes:
    """The detector's file: this package's own class, and the lines that register it."""
    source = Path(detector.__file__).read_text(encoding="utf-8")
    return (source.rstrip("\n") + "\n" + _REGISTERED).encode()


def config_content(network: str, sha256: str) -> bytes:
    """The detector's YAML file.

    Args:
        network: the network's file name; it lies beside the YAML file.
        sha256: of that file.
    """
    written = {"network": network, "sha256": sha256, "threads": None}
    text: str = yaml.safe_dump(written, sort_keys=False)
    return text.encode()
