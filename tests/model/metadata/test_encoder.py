import math
from typing import Any

import numpy as np
import pytest
import torch

from data.records.types import NullKind
from model.metadata.encoder import FIELD_WIDTHS, METADATA_WIDTH, MetadataEncoder
from model.metadata.tags import tag_row, tag_weights
from model.metadata.tensors import FIELDS, MetadataTensors, metadata_tensors
from tests.worlds.metadata_rows import FULL_ROW, letter_vectors

COLUMNS = {"text": "scene_description"}
SLICES = dict(
    zip(
        FIELDS,
        np.split(np.arange(METADATA_WIDTH), np.cumsum([FIELD_WIDTHS[f] for f in FIELDS])[:-1]),
        strict=True,
    )
)


def an_encoder(drop_all: float = 0.0, drop_field: float = 0.0) -> MetadataEncoder:
    torch.manual_seed(0)
    return MetadataEncoder(drop_all, drop_field)


def without(field: str, kind: NullKind) -> dict[str, Any]:
    """A row as the store gives it where one field is NULL for one reason."""
    column = COLUMNS.get(field, field)
    kept: dict[NullKind, Any] = {
        NullKind.EMPTY: [] if field == "weather" else "",
        NullKind.WORD: ["Unknown"] if field == "weather" else "Unknown",
    }
    if field == "gps":
        return FULL_ROW | {"gps_lat": None, "gps_lon": None, "gps_null": kind.value}
    return FULL_ROW | {column: kept.get(kind), f"{column}_null": kind.value}


def test_it_is_704_wide() -> None:
    assert FIELD_WIDTHS == {
        "gps": 128,
        "weather": 64,
        "environment": 64,
        "daytime": 64,
        "text": 384,
    }
    assert METADATA_WIDTH == 704
    assert an_encoder()(metadata_tensors([FULL_ROW] * 3, letter_vectors), 3).shape == (3, 704)


@pytest.mark.parametrize("kind", NullKind)
@pytest.mark.parametrize("field", FIELDS)
def test_every_kind_of_null_is_the_fields_own_null_vector(field: str, kind: NullKind) -> None:
    encoder = an_encoder()
    full, null = encoder(
        metadata_tensors([FULL_ROW, without(field, kind)], letter_vectors), 2
    ).detach()
    torch.testing.assert_close(null[SLICES[field]], encoder.nulls[field].detach())
    others = [place for name, places in SLICES.items() if name != field for place in places]
    assert torch.equal(null[others], full[others])
    assert not torch.equal(null[SLICES[field]], full[SLICES[field]])


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [None, "", "Unknown", math.nan])
def test_a_value_that_stands_for_nothing_is_null_without_being_told_so(
    field: str, value: object
) -> None:
    row = {key: item for key, item in FULL_ROW.items() if not key.endswith("_null")}
    columns = ("gps_lat",) if field == "gps" else (COLUMNS.get(field, field),)
    for column in columns:
        row[column] = value
    present = metadata_tensors([row], letter_vectors).present[0].tolist()
    assert present == [name != field for name in FIELDS]


def test_nothing_known_is_the_image_only_mode() -> None:
    encoder = an_encoder()
    empty = metadata_tensors([{}, {}], letter_vectors)
    assert not empty.present.any()
    assert torch.equal(encoder(empty, 2), encoder(None, 2))


def test_null_vectors_learn_and_never_give_nan() -> None:
    encoder = an_encoder()
    row = FULL_ROW | {"gps_lat": math.nan, "weather": [], "daytime": None}
    out = encoder(metadata_tensors([row, FULL_ROW], letter_vectors), 2)
    assert out.isfinite().all()
    out.square().sum().backward()
    for field in FIELDS:
        gradient = encoder.nulls[field].grad
        assert gradient is not None
        assert gradient.isfinite().all()
        assert (gradient.abs().sum() > 0) == (field in ("gps", "weather", "daytime"))
    encoder.zero_grad()
    encoder(None, 2).square().sum().backward()
    for field in FIELDS:
        gradient = encoder.nulls[field].grad
        assert gradient is not None
        assert (gradient != 0).all()


def test_several_values_are_averaged() -> None:
    encoder = an_encoder()
    rows = [FULL_ROW | {"weather": weather} for weather in (["Rain"], ["Fog"], ["Rain", "Fog"])]
    rain, fog, both = encoder(metadata_tensors(rows, letter_vectors), 3)[:, SLICES["weather"]]
    torch.testing.assert_close(both, (rain + fog) / 2)


def test_unseen_words_are_their_own_category() -> None:
    known = [tag_row("weather", word) for word in ("Sunny", "Partly Cloudy", "Rain", "Snow")]
    assert len(set(known)) == 4
    assert tag_row("weather", " partly  CLOUDY ") == tag_row("weather", "Partly Cloudy")
    # pinned: a row may not move between machines or versions, weights are kept by it
    assert (tag_row("weather", "Hail"), tag_row("daytime", "Dawn")) == (9, 11)
    assert tag_row("weather", "Hail") not in known
    np.testing.assert_array_equal(
        tag_weights("weather", ["Rain", "Unknown"]), tag_weights("weather", ["Rain"])
    )
    row = FULL_ROW | {"environment": "Airport"}
    assert metadata_tensors([row], letter_vectors).present.all()


def test_training_drops_all_or_single_fields_at_the_stated_rates() -> None:
    torch.manual_seed(5)
    metadata = metadata_tensors([FULL_ROW] * 4000, letter_vectors)
    encoder = an_encoder(drop_all=0.5, drop_field=0.2)
    out = encoder(metadata, 4000).detach()
    hidden = torch.stack(
        [(out[:, SLICES[f]] == encoder.nulls[f].detach()).all(dim=1) for f in FIELDS], dim=1
    )
    # a field is hidden with 0.5 + 0.5 * 0.2, everything with 0.5 + 0.5 * 0.2**5
    np.testing.assert_allclose(hidden.float().mean(dim=0), 0.6, atol=0.04)
    assert hidden.all(dim=1).float().mean().item() == pytest.approx(0.5, abs=0.04)
    encoder.eval()
    assert torch.equal(encoder(metadata, 4000)[0], encoder(metadata, 4000)[1])


def test_rows_can_be_taken() -> None:
    rows = [FULL_ROW, {}, FULL_ROW | {"gps_lat": 10.0}]
    taken: MetadataTensors = metadata_tensors(rows, letter_vectors).rows(torch.tensor([2, 1]))
    expected = metadata_tensors([rows[2], rows[1]], letter_vectors)
    assert len(taken) == 2
    assert torch.equal(taken.present, expected.present)
    assert all(torch.equal(taken.values[f], expected.values[f]) for f in FIELDS)
