"""The config of a W&B run, which is untrusted, and the validator that it names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.text import storable

_MOST_UIDS = 2**16
_UID_DIGITS = 5
# An SS58 address has 47 to 49 characters; a version fewer.
_MOST_CHARACTERS = 64


@dataclass(frozen=True)
class Validator:
    """Who logged a run, each None where its config does not say.

    `uid` is the validator's own in its subnet, `hotkey` its SS58 address, `version` the version of
    its package (which does not identify an era).
    """

    uid: int | None = None
    hotkey: str | None = None
    version: str | None = None


def plain_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's settings by name, without W&B's own, unwrapped where they are of `config.yaml`.

    There a value is `{"desc": null, "value": 72}`, in a transaction log `72`.
    """
    return {
        storable(str(key)): _unwrapped(value)
        for key, value in config.items()
        if key not in ("_wandb", "wandb_version")
    }


def _unwrapped(value: Any) -> Any:
    if isinstance(value, Mapping) and "value" in value and value.keys() <= {"value", "desc"}:
        return value["value"]
    return value


def config_text(config: Mapping[str, Any]) -> str:
    """Settings as JSON text; a value that JSON cannot hold, such as a date, becomes a string."""
    return storable(json.dumps(config, sort_keys=True, default=str))


def validator_of(config: Mapping[str, Any]) -> Validator:
    """The validator that the settings of a run name."""
    return Validator(
        uid=_uid(config.get("uid")),
        hotkey=_name(config.get("hotkey")),
        version=_name(config.get("version")),
    )


def _uid(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[: _UID_DIGITS + 1])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_UIDS:
        return None
    return value


def _name(value: Any) -> str | None:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _MOST_CHARACTERS:
        return None
    return storable(value.strip())
