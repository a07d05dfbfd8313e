"""A stand-in of the public miner's interface, by what it does: `python stand_in_miner.py IMAGE...`.

Run in a checkout whose `base_miner` was made by `write_miner`. It finds detectors in a registry by
name, makes one by `config_name` and `device`, gives it PIL images and takes a number; its routing
detector makes others by `model_name`, with a device that is no text.
"""

import json
import sys
from pathlib import Path

REGISTRY = """
class Registry:
    def __init__(self):
        self.classes = {}

    def register_module(self, module_name=None):
        def register(kind):
            self.classes[module_name or kind.__name__] = kind
            return kind

        return register

    def __getitem__(self, name):
        return self.classes[name]

    def __contains__(self, name):
        return name in self.classes


DETECTOR_REGISTRY = Registry()
"""

# What a miner need not have: torch, and all of StreetReplay.
BLOCKED = ("torch", "analytics", "dashboards", "data", "model", "replay", "scipy", "pandas")


class Device:
    """As `torch.device`: no text, but it can be written as one."""

    def __str__(self) -> str:
        return "cpu"


def write_miner(checkout: Path, export: Path) -> None:
    """A checkout with the files of an export where its README says."""
    detectors = checkout / "base_miner" / "detectors"
    (detectors / "configs").mkdir(parents=True)
    (checkout / "base_miner" / "__init__.py").touch()
    (checkout / "base_miner" / "registry.py").write_text(REGISTRY)
    (detectors / "__init__.py").write_text("from . import streetreplay_detector\n")
    for name, folder in (
        ("streetreplay_detector.py", detectors),
        ("streetreplay.yaml", detectors / "configs"),
        ("streetreplay.onnx", detectors / "configs"),
    ):
        (folder / name).write_bytes((export / name).read_bytes())


def main(images: list[str]) -> None:
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.path.insert(0, str(Path.cwd()))
    import base_miner.detectors  # type: ignore[import-not-found]  # noqa: F401, PLC0415
    from base_miner.registry import DETECTOR_REGISTRY  # type: ignore[import-not-found]  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    kind = DETECTOR_REGISTRY["STREETREPLAY"]
    detector = kind(config_name="streetreplay.yaml", device="cpu")
    routed = kind(
        model_name="STREETREPLAY_roadwork", config_name="streetreplay.yaml", device=Device()
    )
    answers = [[one(Image.open(image)) for image in images] for one in (detector, routed)]
    loaded = sorted({name.partition(".")[0] for name in sys.modules if sys.modules[name]})
    json.dump(
        {"answers": answers, "known": "NOTHING" in DETECTOR_REGISTRY, "loaded": loaded}, sys.stdout
    )


if __name__ == "__main__":
    main(sys.argv[1:])
