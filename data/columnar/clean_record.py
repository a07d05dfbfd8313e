"""A record of a clean line: what its row and its answers are made of, not yet in columns."""

from typing import NamedTuple

from data.columnar.field_memory import ReadFields
from data.records.eras import Evidence
from data.records.types import Origin


class CleanRecord(NamedTuple):
    """A Media record that a strict reader took at once, and where it stands in its log.

    `numbers` are its lists of numbers one after another, float64, in the order of `number_keys`
    (which are `content_id.NUMBER_LISTS` without those it lacks); each holds `answer_count` numbers,
    but `scores`, the last, `score_count`, 0 where it lacks them. `augmentation` has the values of
    the fields of `types.Augmentation`. `evidence` is without that of the rewards. `origin` is given
    where more is known than the position: the run, its step, its part, the time.
    """

    position: int
    challenge_id: str
    label: int
    evidence: Evidence
    fields: ReadFields
    augmentation: tuple[object, ...]
    number_keys: tuple[str, ...]
    numbers: bytes
    answer_count: int
    score_count: int
    uids: list[int]
    hotkeys: list[str]
    model_urls: list[str | None] | None
    other: str | None
    origin: Origin | None = None
