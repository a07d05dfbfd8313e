import sys
from pathlib import Path

import pytest

from data.errors import RunError
from replay.models import load
from replay.predictor import training_rows
from tests.replay.candidates import MINE, answers, pictures, refusal


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a user's modules, forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_model.py").write_text(MINE)
    (tmp_path / "my_broken.py").write_text("1 / 0\n")
    (tmp_path / "my_script.py").write_text("raise SystemExit('usage')\n")
    (tmp_path / "my_needy.py").write_text("import not_installed_at_all\n")
    (tmp_path / "my_typo.py").write_text("def (:\n")
    for module in [name for name in sys.modules if name.startswith("my_")]:
        monkeypatch.delitem(sys.modules, module)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("attribute", ["Mine", "mine", "make", "Nested.mine", "Fed"])
def test_a_class_an_object_or_a_factory_of_a_module_is_a_candidate(attribute: str) -> None:
    model = load(f"my_model:{attribute}")
    assert (model.name, model.fingerprint) == ("mine", "1")
    assert model.wants_metadata == (attribute == "Fed")
    assert answers(model, pictures(3)).tolist() == [0.25] * 3


@pytest.mark.usefixtures("mine")
def test_a_candidate_of_a_module_may_name_its_training_rows() -> None:
    assert training_rows(load("my_model:Mine")) is None
    assert training_rows(load("my_model:Trained")) == Path("rows.csv")


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my_absent:Mine", "no module 'my_absent'"),
        ("my_absent.part:Mine", "no module 'my_absent'"),
        ("my_model:Nobody", "no 'Nobody' in /"),
        ("my_model:Nested.nobody", "no 'Nested.nobody' in /"),
        ("my_broken:Mine", "ZeroDivisionError: division by zero"),
        ("my_script:Mine", "SystemExit: usage"),
        ("my_needy:Mine", "ModuleNotFoundError: No module named 'not_installed_at_all'"),
        ("my_typo:Mine", "SyntaxError"),
        ("my_model:needs", "TypeError: needs() missing 1 required positional argument"),
        ("my_model:leaves", "SystemExit: 3"),
        ("my_model:number", "found no name, no fingerprint, no wants_metadata, no predict"),
        ("my_model:Mute", "found no fingerprint, no wants_metadata, no predict method"),
        ("my_model:Nameless", "found name ''"),
        ("my_model:Vague", "found wants_metadata 'no'"),
        ("my_model:Misled", "training_rows of mine: found a str; expected a pathlib.Path, or None"),
        ("my_model:Unhashed", "fingerprint of my_model:Unhashed: found OSError: gone"),
        ("my_model:", "expected module:attribute"),
        (":Mine", "expected module:attribute"),
        ("my model:Mine", "expected module:attribute"),
        ("C:\\model", "expected module:attribute"),
    ],
)
def test_what_is_no_candidate_is_refused_in_one_line(name: str, said: str) -> None:
    assert said in refusal(name)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("Raises", "predict of my_model:Raises: found ValueError: no luck"),
        ("Short", r"found shape \(1,\); expected \(2,\)"),
        ("Bare", "found a ndarray; expected replay.predictor.Predictions"),
    ],
)
def test_what_a_candidate_raises_or_gets_wrong_is_one_line(attribute: str, said: str) -> None:
    model = load(f"my_model:{attribute}")
    with pytest.raises(RunError, match=said):
        answers(model, pictures(2))
