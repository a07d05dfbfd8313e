import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.logs.run_config import Validator, config_text, plain_config, validator_of

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
    assert validator_of({"uid": uid}).uid is None


@pytest.mark.parametrize("hotkey", ["", "  ", "5" * 5000, 7, None, ["5F"]])
def test_a_hotkey_that_is_none_is_not_believed(hotkey: object) -> None:
    assert validator_of({"hotkey": hotkey, "version": hotkey}) == Validator()


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_any_config_is_kept_as_text(config: dict[str, Any]) -> None:
    plain = plain_config(config)
    validator_of(plain)
    config_text(plain).encode()
    json.loads(config_text(plain))
