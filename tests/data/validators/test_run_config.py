import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.validators.run_config import Validator, config_text, plain_config, validator_of

HOTKEY = "5FvalidatorHotkey"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_config_names_the_validator_wrapped_or_not(wrapped: bool) -> None:
    config: dict[str, Any] = {"uid": 72, "hotkey": HOTKEY, "version": "2.0.4", "_wandb": {"a": 1}}
    if wrapped:
        config = {key: {"desc": None, "value": value} for key, value in config.items()}
    plain = plain_config(config)
    assert plain == {"uid": 72, "hotkey": HOTKEY, "version": "2.0.4"}
    assert validator_of(plain) == Validator(72, HOTKEY, "2.0.4")


@pytest.mark.parametrize("uid", [True, -1, 1e9, 2**40, "x", "9" * 5000, [72], {"value": 72}, None])
def test_a_uid_that_is_none_is_not_believed(uid: object) -> None:
    assert validator_of({"uid": uid}).validator_uid is None


@pytest.mark.parametrize("hotkey", ["", "  ", "5" * 5000, 7, None, ["5F"]])
def test_a_hotkey_that_is_none_is_not_believed(hotkey: object) -> None:
    assert validator_of({"hotkey": hotkey, "version": hotkey}) == Validator()


@pytest.mark.parametrize("form", ["group", "dots", "slashes"])
def test_a_config_holds_the_operators_settings(form: str) -> None:
    neuron = {"moving_average_alpha": 0.05, "sample_size": 10, "name": "validator"}
    dotted = {f"neuron.{name}": value for name, value in neuron.items()}
    slashed = {f"neuron/{name}": value for name, value in neuron.items()}
    settings: Any = {"group": {"neuron": neuron}, "dots": dotted, "slashes": slashed}[form]
    validator = validator_of({"netuid": 72, "type": "validator", **settings})
    assert (validator.netuid, validator.type) == (72, "validator")
    assert (validator.alpha, validator.sample_size) == (0.05, 10)


@pytest.mark.parametrize("value", [True, "0.05", 0, -1, 1.5, float("nan"), None, [0.05]])
def test_an_alpha_that_is_none_is_not_believed(value: object) -> None:
    assert validator_of({"neuron": {"moving_average_alpha": value}}).alpha is None


@pytest.mark.parametrize("value", [True, 0, -1, 2**16, 10.5, None, {"a": 1}])
def test_a_sample_size_that_is_none_is_not_believed(value: object) -> None:
    assert validator_of({"neuron": {"sample_size": value}}).sample_size is None


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_any_config_is_kept_as_text(config: dict[str, Any]) -> None:
    plain = plain_config(config)
    validator_of(plain)
    config_text(plain).encode()
    json.loads(config_text(plain))
