"""Checks that a source is the one that a record means, and picks it among several copies.

Shards are whatever the data set held on that day: rows move between revisions, so id, size and GPS
of a row are checked against the record (DOMAIN.md §1).
"""

from collections.abc import Sequence

from data.errors import FieldError, SourceError
from data.records import values
from data.records.stored_challenge import StoredChallenge
from data.sources.cached_image import image_size
from data.sources.shard import SourceRow
from data.sources.shards import Shards, SourceLocation

_SAME_PLACE_DEGREES = 1e-9


def matching_location(
    challenge: StoredChallenge, shards: Shards, locations: Sequence[SourceLocation]
) -> SourceLocation:
    """The location whose row agrees with a record in most of id, size and GPS, and differs in none.

    Where several do, the first; where none does, the first as well, for whoever says what differs.
    One that cannot be read comes last.

    Args:
        challenge: the record.
        shards: the source images.
        locations: of `Shards.locations`, at least one; nothing is read of a single one.
    """
    if len(locations) == 1:
        return locations[0]
    return max(locations, key=lambda location: _evidence(challenge, shards, location))


def _evidence(
    challenge: StoredChallenge, shards: Shards, location: SourceLocation
) -> tuple[bool, bool, int]:
    """Whether it is readable, whether nothing differs, and how many facts are equal."""
    try:
        source = shards.read_at(location)
        size = image_size(source.image)
    except SourceError:
        return False, False, 0
    equal = _equal_facts(challenge, source, size)
    return True, False not in equal.values(), list(equal.values()).count(True)


def difference(challenge: StoredChallenge, source: SourceRow, size: tuple[int, int]) -> str | None:
    """How a source differs from the record that names it; None where nothing is known to.

    Args:
        challenge: the record.
        source: the row, or cached image.
        size: of its image, width and height in pixels.
    """
    equal = _equal_facts(challenge, source, size)
    if equal["id"] is False:
        return f"id {source.columns['id']} in the source, {challenge.source_id} in the record"
    if equal["size"] is False:
        return f"size {size} in the source, {challenge.image_size} in the record"
    if equal["gps"] is False:
        return f"GPS {source.columns['gps']} in the source, {challenge.gps} in the record"
    return None


def _equal_facts(
    challenge: StoredChallenge, source: SourceRow, size: tuple[int, int]
) -> dict[str, bool | None]:
    """Whether each fact is the same; None where one side does not hold it."""
    return {
        "id": _same_id(challenge.source_id, source.columns.get("id")),
        "size": None if challenge.image_size is None else challenge.image_size == size,
        "gps": _same_place(challenge.gps, source.columns.get("gps")),
    }


def _same_id(logged: int | None, kept: object) -> bool | None:
    """By value: `14` is 14 and 14.0, as shards and pandas write ids."""
    if isinstance(kept, bytes):
        kept = kept.decode(errors="replace")
    if isinstance(kept, str):
        kept = kept.strip()
    # a NaN is a missing number of pandas
    if logged is None or values.null_kind(kept) is not None:
        return None
    try:
        return values.integer(kept) == logged
    except FieldError:
        return kept == logged  # a decimal, for instance


def _same_place(logged: tuple[float, float] | None, kept: object) -> bool | None:
    if logged is None or values.null_kind(kept) is not None:
        return None
    try:
        place = values.gps(kept)
    except FieldError:
        return None
    return all(abs(a - b) <= _SAME_PLACE_DEGREES for a, b in zip(place, logged, strict=True))
