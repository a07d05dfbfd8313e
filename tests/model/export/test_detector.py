import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from model.export.detector import StreetReplayDetector
from tests.conftest import ROOT
from tests.model.checkpoint.checkpoint_on_vit import images
from tests.model.export.exported import shifted_answers
from tests.model.export.stand_in_miner import write_miner
from tests.worlds.stores import encoded, picture

MINER = ROOT / "tests" / "model" / "export" / "stand_in_miner.py"


def run_miner(checkout: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, MINER, *files],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def detector_of(folder: Path, **options: Any) -> StreetReplayDetector:
    return StreetReplayDetector(config_name=str(folder / "streetreplay.yaml"), **options)


def copied(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def test_a_miner_answers_as_the_checkpoint_and_loads_nothing_of_ours(
    exported: Path, folder: Path, tmp_path: Path
) -> None:
    write_miner(tmp_path / "checkout", exported)
    files, decoded = [], []
    for seed, size in enumerate([(224, 224), (224, 224), (300, 180), (31, 64)]):
        files.append(tmp_path / f"{seed}.jpeg")
        files[-1].write_bytes(encoded(picture(size, seed=seed)))
        decoded.append(np.asarray(Image.open(files[-1])))

    done = run_miner(tmp_path / "checkout", *files)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    direct, routed = found["answers"]
    assert direct == routed
    assert all(isinstance(answer, float) and 0 <= answer <= 1 for answer in direct)
    np.testing.assert_allclose(direct, shifted_answers(folder, decoded, 0.5), rtol=0, atol=1e-4)
    assert {"onnxruntime", "numpy", "PIL", "yaml", "base_miner"} <= set(found["loaded"])
    assert not {"torch", "model", "data", "replay", "cv2", "timm"} & set(found["loaded"])


def test_a_miner_refuses_a_network_of_another_export(exported: Path, tmp_path: Path) -> None:
    write_miner(tmp_path / "checkout", exported)
    network = tmp_path / "checkout" / "base_miner" / "detectors" / "configs" / "streetreplay.onnx"
    network.write_bytes(network.read_bytes() + b"\0")

    done = run_miner(tmp_path / "checkout")

    assert done.returncode == 1
    assert "expected" in done.stderr.splitlines()[-1]
    assert "copy both files of one export" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_images_of_every_mode_are_answered_as_rgb(mode: str, exported: Path) -> None:
    detector = detector_of(exported)
    image = picture((80, 60)).convert(mode)
    assert detector(image) == detector.answer(np.asarray(image.convert("RGB")))[0]


def test_pixels_in_any_memory_order_are_the_same_image(exported: Path) -> None:
    detector = detector_of(exported)
    [image] = images(1)
    assert detector.answer(np.asfortranarray(image))[0] == detector.answer(image)[0]


def test_what_is_missing_is_named(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^nowhere\.yaml: no such file, nor in "):
        StreetReplayDetector(config_name="nowhere.yaml")
    folder = copied(exported, tmp_path)
    (folder / "streetreplay.onnx").unlink()
    with pytest.raises(FileNotFoundError, match=r"streetreplay\.onnx: no such file, which .*yaml"):
        detector_of(folder)


def test_a_configuration_never_leads_out_of_its_folder(exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, tmp_path)
    config = yaml.safe_load((folder / "streetreplay.yaml").read_text())
    (folder / "streetreplay.yaml").write_text(
        yaml.safe_dump(config | {"network": str(exported / "streetreplay.onnx")})
    )
    (folder / "streetreplay.onnx").unlink()
    with pytest.raises(FileNotFoundError, match="copy"):
        detector_of(folder)


def test_threads_are_those_of_the_configuration(exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, tmp_path)
    config = yaml.safe_load((folder / "streetreplay.yaml").read_text())
    (folder / "streetreplay.yaml").write_text(yaml.safe_dump(config | {"threads": 1}))

    one = detector_of(folder)

    assert one.session.get_session_options().intra_op_num_threads == 1
    [image] = images(1)
    assert one.answer(image)[0] == pytest.approx(detector_of(exported).answer(image)[0], abs=1e-6)


def test_without_cuda_the_processor_answers_and_it_is_said(
    exported: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with caplog.at_level(logging.WARNING):
        detector = detector_of(exported, device="cuda:0")
    assert "no CUDA" in caplog.text
    assert detector.session.get_providers() == ["CPUExecutionProvider"]
