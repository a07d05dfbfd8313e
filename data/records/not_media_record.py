"""Recognise JSON objects that are no Media record: history rows, flattened records, others."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from data.errors import RecordError
from data.text import printable

# Nested objects of a record, which other exporters flatten to keys such as `metadata.gps`.
_NESTED = ("metadata", "data_aug_params")
_SEPARATORS = (".", "_", "/", ":", "-", "[")
# Keys of a validator's own that begin like a flattened one.
_OWN_KEYS = frozenset({"metadata", "data_aug_params"})
# A Media record has at least one of these.
_RECORD_KEYS = ("label", "predictions", "miner_uids", "miner_hotkeys", "rewards")
_KEYS_SHOWN = 4
HISTORY_REMEDY = (
    "a history holds no Media records: give the run's folder, or its files media/html/*.html"
)
_MODALITY = "image"


def is_history_row(record: object) -> bool:
    """True for a row of a W&B history (`scan_history`): series of miners, no answers by slot."""
    if not isinstance(record, Mapping) or "predictions" in record:
        return False
    if "_step" in record and ("_timestamp" in record or "_runtime" in record):
        return True
    return any(key.startswith("miner_") and "/uid_" in key for key in record)


def refuse_other_forms(record: Mapping[str, Any]) -> None:
    """Raise unless a record is a Media record of an image challenge.

    Raises:
        RecordError: it is another object, has its nested objects flattened, or is a challenge of
            another modality, whose score windows the images' log does not determine.
    """
    if not any(key in record for key in _RECORD_KEYS):
        raise RecordError(
            "record",
            found=f"an object with {_shown(record)}",
            expected=f"a Media record ({', '.join(_RECORD_KEYS[:3])}, ...)",
        )
    for nested in _NESTED:
        flat = [key for key in record if key not in _OWN_KEYS and _is_part(key, nested)]
        if flat and not isinstance(record.get(nested), Mapping):
            raise RecordError(
                "record",
                found=f"flattened {_shown(flat)}",
                expected=f"one object {nested}",
                remedy="export records as they were logged, nested",
            )
    modality = record.get("modality")
    if modality is not None and modality != _MODALITY:
        raise RecordError("modality", found=printable(repr(modality), 40), expected="'image'")


def _is_part(key: str, nested: str) -> bool:
    return key.startswith(nested) and key[len(nested) :].startswith(_SEPARATORS)


def _shown(keys: Iterable[str]) -> str:
    first = list(islice(keys, _KEYS_SHOWN + 1))
    names = [printable(repr(key), 40) for key in first[:_KEYS_SHOWN]]
    more = ", ..." if len(first) > _KEYS_SHOWN else ""
    return f"keys {', '.join(names)}{more}" if names else "no keys"
