import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from analytics.warehouse.connection import reading
from data.errors import RunError
from model.export.command_line_name import names_export
from model.export.predictor import ExportPredictor, load_export, load_named
from replay.candidates import registry
from replay.candidates.predictor import Batch
from replay.candidates.registry import LoadSettings
from tests.model.checkpoint.checkpoint_on_vit import image_batch, images
from tests.model.export.exported import rewrite_card, shifted_answers
from tests.model.export.golden_replays import GoldenReplays

# As `model.export.agreement` states it, of probabilities; gates are held to the same.
BOUND = 1e-4


def copied(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def test_it_answers_every_golden_challenge_as_its_checkpoint(golden_replays: GoldenReplays) -> None:
    """The 520 golden challenges, each image apart; at least 200 are asked for."""
    query = """
        SELECT a.challenge_id, a.probability - b.probability, a.probability
        FROM replay_variants AS a JOIN replay_variants AS b USING (challenge_id, variant)
        WHERE a.run_id = $export AND b.run_id = $checkpoint
    """
    gates = """
        SELECT max(abs(a.gate - b.gate)), count(*)
        FROM replay_gates AS a JOIN replay_gates AS b USING (challenge_id, view)
        WHERE a.run_id = $export AND b.run_id = $checkpoint
    """
    runs = {"export": golden_replays.export_run, "checkpoint": golden_replays.checkpoint_run}
    with reading(golden_replays.store) as connection:
        rows = connection.execute(query, runs).fetchall()
        gate_difference, gate_count = connection.execute(gates, runs).fetchall()[0]

    ids, differences, probabilities = (np.array(column) for column in zip(*rows, strict=True))
    assert len(set(ids)) == 520
    assert np.abs(differences).max() < BOUND
    assert np.ptp(probabilities) > 1000 * BOUND
    assert 0.1 < (probabilities > 0.5).mean() < 0.9
    assert gate_count == 520 * 12
    assert gate_difference < BOUND


def test_answers_are_those_of_the_shifted_checkpoint(exported: Path, folder: Path) -> None:
    predictor = load_export(exported)
    answers = predictor.predict(image_batch(5))

    np.testing.assert_allclose(
        answers.probability, shifted_answers(folder, images(5), 0.5), rtol=0, atol=BOUND
    )
    assert answers.probability.dtype == np.float64
    assert answers.gates is not None
    assert answers.gates.shape == (5, 12)
    assert answers.gates.dtype == np.float32
    nothing = predictor.predict(Batch([], []))
    assert nothing.probability.shape == (0,)
    assert nothing.gates is not None
    assert nothing.gates.shape == (0, 12)


def test_it_is_named_and_keeps_its_training_rows(
    exported: Path, golden_replays: GoldenReplays
) -> None:
    predictor = load_export(exported)
    assert predictor.name == "miner (ONNX) on test_vit"
    assert predictor.training_rows == exported / "training_rows.parquet"
    assert load_export(golden_replays.export).training_rows is None


@pytest.mark.parametrize("prefix", ["", "export:"])
def test_replay_takes_an_exports_folder_for_an_export(prefix: str, exported: Path) -> None:
    assert isinstance(registry.load(f"{prefix}{exported}"), ExportPredictor)
    with pytest.raises(RunError, match="which looks at the image alone"):
        registry.load(f"{prefix}{exported}", LoadSettings(metadata=True))


def test_names_are_exports_by_their_card(exported: Path, folder: Path, tmp_path: Path) -> None:
    assert names_export(str(exported))
    assert names_export("export:nowhere")
    assert not names_export(str(folder))
    assert not names_export(str(tmp_path))
    assert not names_export("orange")
    with pytest.raises(RunError, match="nowhere: found no such folder"):
        load_named("export:nowhere")


@pytest.mark.parametrize(
    "name",
    ["streetreplay.onnx", "streetreplay_detector.py", "streetreplay.yaml", "training_rows.parquet"],
)
@pytest.mark.parametrize("gone", [False, True])
def test_an_altered_file_is_refused(name: str, gone: bool, exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, tmp_path)
    if gone:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes() + b"#")

    with pytest.raises(RunError, match="the file was altered") as refusal:
        load_export(folder)

    assert name in str(refusal.value)
    assert "expected sha256" in str(refusal.value)
    assert ("no such file" in str(refusal.value)) == gone


def test_a_readme_may_be_edited(exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, tmp_path)
    before = load_export(folder).fingerprint
    (folder / "README.md").write_text("mine")
    assert load_export(folder).fingerprint == before


def test_a_detector_of_another_version_is_refused(exported: Path, tmp_path: Path) -> None:
    """Its card names it, and it was never scored by this code."""
    folder = copied(exported, tmp_path)
    file = folder / "streetreplay_detector.py"
    file.write_text(file.read_text() + "# other\n")
    card = json.loads((folder / "export.json").read_text())
    from data.digests import file_digest  # noqa: PLC0415

    rewrite_card(folder, files=card["files"] | {file.name: file_digest(file)})
    with pytest.raises(RunError, match="another version of StreetReplay"):
        load_export(folder)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"version": 2}, r"format and version \('streetreplay-export', 2\)"),
        ({"format": "other"}, "format and version"),
        ({"files": {}}, "files in .*: found "),
        ({"files": None}, "files in .*: found None; expected an object"),
        ({"agreement": 3}, "agreement in .*: found 3; expected an object"),
        ({"files": {"../../etc/passwd": "0"}}, "files in .*: found "),
    ],
)
def test_a_damaged_card_is_refused(
    changed: dict[str, object], message: str, exported: Path, tmp_path: Path
) -> None:
    folder = copied(exported, tmp_path)
    rewrite_card(folder, **changed)
    with pytest.raises(RunError, match=message):
        load_export(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000])
def test_a_card_that_is_no_object_is_refused(content: str, exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, tmp_path)
    (folder / "export.json").write_text(content)
    with pytest.raises(RunError, match=r"export\.json: found "):
        load_export(folder)


def test_a_network_that_onnxruntime_cannot_load_is_one_line(exported: Path, tmp_path: Path) -> None:
    from data.digests import file_digest  # noqa: PLC0415
    from model.export.miner_files import config_content  # noqa: PLC0415

    folder = copied(exported, tmp_path)
    network, config = folder / "streetreplay.onnx", folder / "streetreplay.yaml"
    network.write_bytes(b"no network")
    config.write_bytes(config_content(network.name, file_digest(network)))
    card = json.loads((folder / "export.json").read_text())
    digests = {file.name: file_digest(file) for file in (network, config)}
    rewrite_card(folder, files=card["files"] | digests)

    with pytest.raises(RunError, match=r"expected a network that onnxruntime .* loads") as refusal:
        load_export(folder)
    assert "\n" not in str(refusal.value)
