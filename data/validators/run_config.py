"""The config of a W&B run, which is untrusted, and the validator that it names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.text import storable
from data.validators.signature import SignatureState, signature_state

_MOST_UIDS = 2**16
_DIGITS = 5
# An SS58 address has 47 to 49 characters; a version fewer.
_MOST_CHARACTERS = 64


@dataclass(frozen=True)
class Validator:
    """Who logged a run, and by which settings; each None where its config does not say.

    Attributes:
        validator_uid: its own in its subnet.
        hotkey: its SS58 address.
        version: of its package (which does not identify an era).
        netuid: the subnet.
        alpha: the weight of the newest reward in the scores, in (0, 1].
        sample_size: how many miners each challenge is sent to.
        type: `validator`, as the package calls itself.
        signature: whether `hotkey` signed the run's id, which says nothing of the run's numbers,
            see `data.validators.signature`.
    """

    validator_uid: int | None = None
    hotkey: str | None = None
    version: str | None = None
    netuid: int | None = None
    alpha: float | None = None
    sample_size: int | None = None
    type: str | None = None
    signature: SignatureState = SignatureState.ABSENT


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


def validator_of(
    config: Mapping[str, Any], run_id: str = "", *, id_is_known: bool = True
) -> Validator:
    """The validator that the settings of a run name.

    Args:
        config: the run's settings, as `plain_config` gives them.
        run_id: what the validator signed.
        id_is_known: see `data.validators.signature.signature_state`.
    """
    hotkey = _name(config.get("hotkey"))
    return Validator(
        validator_uid=_below(_MOST_UIDS, config.get("uid")),
        hotkey=hotkey,
        version=_name(config.get("version")),
        netuid=_below(_MOST_UIDS, config.get("netuid")),
        alpha=_share(_of_neuron(config, "moving_average_alpha")),
        sample_size=_below(_MOST_UIDS, _of_neuron(config, "sample_size")) or None,
        type=_name(config.get("type")),
        signature=signature_state(config.get("signature"), hotkey, run_id, id_is_known=id_is_known),
    )


def _of_neuron(config: Mapping[str, Any], name: str) -> Any:
    """A setting of the operator's: bittensor has it in a group, W&B's tables by dotted names."""
    neuron = config.get("neuron")
    if isinstance(neuron, Mapping) and name in neuron:
        return neuron[name]
    return next(
        (config[key] for key in (f"neuron.{name}", f"neuron/{name}") if key in config), None
    )


def _below(limit: int, value: Any) -> int | None:
    """A whole number in 0..limit - 1, also as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[: _DIGITS + 1])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
        return None
    return value


def _share(value: Any) -> float | None:
    """A number in (0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        return None
    return float(value)


def _name(value: Any) -> str | None:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _MOST_CHARACTERS:
        return None
    return storable(value.strip())
