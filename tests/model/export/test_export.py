import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import yaml
from scipy.special import expit, logit

from data.digests import file_digest
from data.errors import RunError, WriteError
from data.store import Store
from model.export.agreement import check_agreement, drawn_pictures
from model.export.export import ExportReport, ExportSettings, export
from model.export.predictor import load_detector
from model.export.threshold import ThresholdRequest
from replay.candidates.predictor import Predictions
from tests.worlds.full_disk import small_disk

SHIFTED = ExportSettings(ThresholdRequest(shift=0.5))
FILES = {
    "README.md",
    "export.json",
    "streetreplay.onnx",
    "streetreplay.yaml",
    "streetreplay_detector.py",
    "training_rows.parquet",
}


def test_the_folder_holds_what_its_card_names(exported: Path, report: ExportReport) -> None:
    assert {path.name for path in exported.iterdir()} == FILES
    card = json.loads((exported / "export.json").read_text())
    assert card["files"] == report.card.files
    assert set(card["files"]) == FILES - {"README.md", "export.json"}
    for name, digest in card["files"].items():
        assert file_digest(exported / name) == digest
    config = yaml.safe_load((exported / "streetreplay.yaml").read_text())
    assert config["sha256"] == card["files"]["streetreplay.onnx"]
    assert [path for path in exported.parent.iterdir() if path != exported] == []


def test_the_card_has_the_honest_numbers(exported: Path) -> None:
    card = json.loads((exported / "export.json").read_text())
    assert card["checkpoint"]["validation"] == {"epoch": 3, "mcc": 0.625, "n": 20}
    assert card["checkpoint"]["training_rows"] == 40
    assert card["comparison"] is None
    assert card["threshold"] == {
        "shift": 0.5,
        "why": "given by hand",
        "run_id": None,
        "fitted": None,
    }
    assert 0 <= card["agreement"]["probability"] < card["agreement"]["bound"] == 1e-4
    assert set(card["latency"]["seconds"]) == {"224 x 224", "1080 x 1920"}
    assert card["latency"]["timeout"] == 9
    text = " ".join((exported / "README.md").read_text().split())
    for words in (
        "Validation MCC 0.625 on n = 20",
        "on 40 rows",
        "a shift of +0.5000",
        "image alone",
        "trained with metadata too",
        "computed with metadata",
        "not compared with miners",
        "a validator waits 9 s",
        *card["files"].values(),
        card["checkpoint"]["sha256"],
    ):
        assert words in text, words
    assert str(exported.parent) not in text + json.dumps(card)


@pytest.mark.usefixtures("network_is_known")
def test_a_checkpoint_without_a_score_says_so(folder: Path, store: Store, tmp_path: Path) -> None:
    averaged = Path(shutil.copytree(folder, tmp_path / "averaged"))
    card = json.loads((averaged / "model.json").read_text())
    card["training"] |= {"epoch": None, "note": "the average has no score of its own"}
    (averaged / "model.json").write_text(json.dumps(card))

    report = export(store, averaged, tmp_path / "out", SHIFTED)

    assert report.card.checkpoint["validation"] is None
    text = (tmp_path / "out" / "README.md").read_text()
    assert "Validation MCC: none (the average has no score of its own)" in text


@pytest.mark.parametrize("content", ["a file", "a full folder"])
def test_what_stands_in_out_stays(content: str, folder: Path, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    mine = out
    if content == "a full folder":
        out.mkdir()
        mine = out / "mine.txt"
    mine.write_text("mine")

    with pytest.raises(RunError, match=r"^--out .*; expected "):
        export(store, folder, out)

    assert mine.read_text() == "mine"


@pytest.mark.usefixtures("network_is_known")
def test_an_empty_folder_is_filled(folder: Path, store: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export(store, folder, tmp_path / "out", SHIFTED)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_no_checkpoint_is_one_line(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nowhere: found no such folder"):
        export(store, tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("network_is_known")
def test_an_export_that_answers_otherwise_is_not_written(
    folder: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.export.export.BOUND", 0.0)
    with pytest.raises(RunError, match=r"differs by .* from the checkpoint's .*at most 0"):
        export(store, folder, tmp_path / "sub" / "out", SHIFTED)
    assert list((tmp_path / "sub").iterdir()) == []


def test_a_difference_is_found_wherever_it_is(exported: Path) -> None:
    detector = load_detector(exported)
    answers = [detector.answer(picture) for picture in drawn_pictures()]
    probability = np.array([answer for answer, _ in answers])
    gates = np.stack([gates for _, gates in answers])
    assert check_agreement(detector, Predictions(probability, gates), 0.0, 1e-9).probability < 1e-9
    for index in (0, 8, len(answers) - 1):
        moved = probability.copy()
        moved[index] += -0.01 if moved[index] > 0.5 else 0.01
        with pytest.raises(RunError, match=r"a probability that differs by 0\.01"):
            check_agreement(detector, Predictions(moved, gates), 0.0, 1e-3)
    broken = Predictions(np.full(len(answers), np.nan), gates)
    with pytest.raises(RunError, match="differs by nan"):
        check_agreement(detector, broken, 0.0, 1e-3)


def test_a_sure_answer_hides_no_mistake(exported: Path) -> None:
    """A picture whose probability is near 1 differs by little however wrong its logit is."""
    detector = load_detector(exported)
    answers = [detector.answer(picture) for picture in drawn_pictures()]
    probability = np.array([answer for answer, _ in answers])
    gates = np.stack([gates for _, gates in answers])
    sure = expit(logit(probability) + 8 - logit(probability).min())
    assert sure.min() > 0.999

    class Sure:
        def answer(self, _picture: object) -> tuple[float, object]:
            return next(given), gates[0]

    given = iter(sure)
    assert check_agreement(cast(Any, Sure()), Predictions(sure, gates), 0.0, 1e-4).logit < 1e-6
    given = iter(sure)
    wrong = Predictions(expit(logit(sure) + 0.01), gates)
    with pytest.raises(RunError, match=r"a logit that differs by 0\.01 .* at most 0\.002"):
        check_agreement(cast(Any, Sure()), wrong, 0.0, 1e-4)


@pytest.mark.usefixtures("network_is_known")
def test_a_full_disk_leaves_nothing(folder: Path, store: Store, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1000) as disk:
        with pytest.raises(WriteError, match="No space left on device"):
            export(store, folder, disk / "out", SHIFTED)
        assert list(disk.iterdir()) == []


@pytest.mark.usefixtures("network_is_known")
def test_a_left_over_of_a_killed_export_is_removed(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    (tmp_path / ".out.999999.aside").mkdir()
    (tmp_path / ".out.999999.aside" / "streetreplay.onnx").touch()
    export(store, folder, tmp_path / "out", SHIFTED)
    assert [path.name for path in tmp_path.iterdir() if ".aside" in path.name] == []


@pytest.mark.parametrize("given", [{"run": "latest", "shift": 1.0}, {"shift": 31.0}])
def test_a_threshold_asked_for_twice_or_out_of_range_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(RunError, match=r"--shift: found "):
        ThresholdRequest(**given)


def test_a_shift_that_is_no_number_is_refused() -> None:
    with pytest.raises(RunError, match=r"--shift: found nan"):
        ThresholdRequest(shift=float("nan"))
