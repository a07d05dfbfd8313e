import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest

from data.errors import RecordError
from data.records.content_id import content_id
from data.records.media_record import read_challenge
from data.records.types import Geometry, NullKind, Origin

HERE = Origin("log.jsonl", 0)

Json = dict[str, Any]


def test_the_real_record_is_read_whole(record: Json) -> None:
    logged = read_challenge(record, HERE)
    challenge = logged.challenge
    assert (challenge.era, challenge.era_candidates) == ("E7", ("E7", "E8"))
    assert challenge.scores is not None
    assert len(challenge.scores) == 256
    assert len(challenge.responses) == 10
    source = challenge.source
    assert (source.gps_lat, source.gps_lon) == (39.77160604, -86.18823935)
    assert source.weather == ("Sunny",)
    assert source.travel_alteration == ("Partially Blocked",)
    assert (source.parquet, source.row) == ("train-00011-of-00026.parquet", 154)
    assert challenge.augmentation.geometry is Geometry.CROP
    assert challenge.augmentation.angle == 1.5195894241333008
    assert challenge.augmentation.crop_left == 568
    assert logged.problems == ()
    assert challenge.other is None


def test_every_logged_number_is_kept_to_the_bit(record: Json) -> None:
    challenge = read_challenge(record, HERE).challenge
    columns = {
        "predictions": "prediction",
        "rewards": "reward",
        "miner_image_mcc": "mcc",
        "miner_image_auc": "auc",
        "miner_image_f1_score": "f1_score",
        "miner_image_recall": "recall",
        "miner_image_precision": "precision",
        "miner_image_accuracy": "accuracy",
        "miner_uids": "uid",
        "miner_hotkeys": "hotkey",
    }
    for key, attribute in columns.items():
        assert [getattr(r, attribute) for r in challenge.responses] == record[key], key
    assert list(challenge.scores or ()) == record["scores"]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("label", 2, r"label: found 2; expected 0 or 1"),
        ("label", None, r"label: found None"),
        ("label", True, r"label: found True"),
        ("label", [0], r"label"),
        ("predictions", None, r"predictions: found nothing"),
        ("predictions", [0.5] * 9, r"miner_uids: found 10 entries; expected 9"),
        ("rewards", [0.5] * 11, r"rewards: found 11 entries; expected 10"),
        ("predictions", ["x"] * 10, r"predictions\[0\].*'x'"),
        ("miner_uids", [-1] * 10, r"miner_uids\[0\]: found -1"),
        ("miner_uids", ["4"] * 10, r"miner_uids\[0\]: found '4'"),
        ("miner_hotkeys", [None] * 10, r"miner_hotkeys\[0\]"),
        ("miner_image_mcc", [0.5], r"miner_image_mcc: found 1 entries; expected 10"),
    ],
)
def test_a_record_that_cannot_be_scored_is_refused_with_the_reason(
    record: Json, key: str, value: object, reason: str
) -> None:
    with pytest.raises(RecordError, match=reason) as error:
        read_challenge(record | {key: value}, HERE)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [None, 3, "x", [], [1]])
def test_what_is_no_object_is_no_record(value: object) -> None:
    with pytest.raises(RecordError):
        read_challenge(value, HERE)


def test_a_scalar_uid_is_a_list_of_one(record: Json) -> None:
    lists = [key for key in record if isinstance(record[key], list) and key != "scores"]
    single = record | {key: record[key][:1] for key in lists} | {"miner_uids": 4}
    challenge = read_challenge(single, HERE).challenge
    assert [response.uid for response in challenge.responses] == [4]
    assert challenge.era == "E8"


def test_a_uid_asked_twice_keeps_both_places(record: Json) -> None:
    twice = copy.deepcopy(record)
    twice["miner_uids"][3] = twice["miner_uids"][0]
    responses = read_challenge(twice, HERE).challenge.responses
    assert [r.slot for r in responses if r.uid == 4] == [0, 3]


def test_without_a_source_key_the_source_is_unknown_not_real(record: Json) -> None:
    del record["source"]
    assert read_challenge(record, HERE).challenge.source.source is None


def test_not_finite_numbers_are_none_and_do_not_change_the_identity(record: Json) -> None:
    record["predictions"][2] = math.nan
    record["rewards"][2] = math.inf
    challenge = read_challenge(record, HERE).challenge
    assert challenge.responses[2].prediction is None
    assert challenge.responses[2].reward is None
    as_null = copy.deepcopy(record)
    as_null["predictions"][2] = as_null["rewards"][2] = None
    assert read_challenge(as_null, HERE).challenge.challenge_id == challenge.challenge_id


def test_identity_is_of_content_not_of_form(record: Json) -> None:
    known = content_id(record)
    reordered = dict(reversed(record.items()))
    assert content_id(json.loads(json.dumps(reordered, indent=4))) == known
    for change in ({"label": 0}, {"predictions": [0.0] * 10}, {"path": "x"}):
        assert content_id(record | change) != known


def test_unreadable_metadata_costs_its_own_column_only(record: Json) -> None:
    metadata = record["metadata"]
    metadata["gps"] = "__import__('os').system('x')"
    metadata["source_parquet"] = "../../etc/passwd"
    metadata["width"] = "wide"
    logged = read_challenge(record, HERE)
    source = logged.challenge.source
    assert source.gps_lat is None
    assert source.parquet is None
    assert source.width is None
    assert source.city == "indianapolis"
    assert logged.challenge.nulls["gps"] is NullKind.UNREADABLE
    assert {reject.column for reject in logged.problems} == {"gps", "parquet", "width"}
    by_column = {reject.column: reject for reject in logged.problems}
    assert "__import__" in by_column["gps"].excerpt
    assert "expected" in by_column["gps"].reason


def test_null_kinds_of_every_sort(record: Json) -> None:
    metadata = record["metadata"]
    del metadata["gps"]
    metadata["city_name"] = None
    metadata["scene_description"] = ""
    metadata["scene_level_tags.weather"] = "[]"
    metadata["scene_level_tags.daytime"] = "Unknown"
    challenge = read_challenge(record, HERE).challenge
    assert challenge.nulls == {
        "gps": NullKind.ABSENT,
        "city": NullKind.NULL,
        "scene_description": NullKind.EMPTY,
        "weather": NullKind.EMPTY,
        "daytime": NullKind.WORD,
        "prompt": NullKind.ABSENT,
        "model_name": NullKind.ABSENT,
        "flickr_url": NullKind.NULL,
        "coco_url": NullKind.NULL,
    }
    assert challenge.source.daytime == "Unknown"
    assert challenge.source.weather == ()


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("source_parquet", "parquet"),
        ("original_index", "row"),
        ("image_format", "image_format"),
        ("image_size", "image_size"),
        ("image_mode", "image_mode"),
        ("label", "metadata_label"),
        ("width", "width"),
        ("height", "height"),
        ("license", "license"),
        ("flickr_url", "flickr_url"),
        ("coco_url", "coco_url"),
        ("date_captured", "date_captured"),
        ("video_info.seq_id", "seq_id"),
        ("scene_level_tags.scene_environment", "environment"),
    ],
)
def test_every_metadata_field_says_why_it_holds_nothing(
    record: Json, key: str, column: str
) -> None:
    metadata = record["metadata"]
    metadata[key] = metadata[key] if metadata[key] is not None else "https://x/1.jpg"
    assert column not in read_challenge(record, HERE).challenge.nulls
    logged = {
        NullKind.NULL: None,
        NullKind.EMPTY: "",
        NullKind.WORD: "Unknown",
        NullKind.UNREADABLE: {"a": 1},
    }
    for kind, value in logged.items():
        read = read_challenge(record | {"metadata": metadata | {key: value}}, HERE)
        assert read.challenge.nulls[column] is kind
        assert {reject.column for reject in read.problems} == (
            {column} if kind is NullKind.UNREADABLE else set()
        )
    del metadata[key]
    assert read_challenge(record, HERE).challenge.nulls[column] is NullKind.ABSENT


def test_a_value_that_was_never_seen_is_kept(record: Json) -> None:
    record["metadata"] |= {
        "scene_level_tags.daytime": "Eclipse",
        "scene_level_tags.weather": "['Volcanic ash']",
        "date_captured": "Unknown",
    }
    challenge = read_challenge(record, HERE).challenge
    assert (challenge.source.daytime, challenge.source.weather) == ("Eclipse", ("Volcanic ash",))
    assert not {"daytime", "weather"} & challenge.nulls.keys()
    # a word for no value stays, beside its kind
    assert challenge.source.date_captured == "Unknown"


def test_unseen_keys_are_kept(record: Json) -> None:
    record["brand_new"] = {"a": 1}
    record["metadata"]["also_new"] = [1, 2]
    other = read_challenge(record, HERE).challenge.other
    assert other is not None
    assert json.loads(other) == {"brand_new": {"a": 1}, "metadata": {"also_new": [1, 2]}}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"RandomRotationWithParams": {"angle": "x"}, "RandomResizedCropWithParams": {}},
        {"RandomRotationWithParams": {"angle": 1.0}},
        {
            "RandomRotationWithParams": {"angle": 1.0},
            "RandomResizedCropWithParams": {"crop_params": [1, 2, -3, 4]},
        },
        [],
        "x",
    ],
)
def test_unreadable_parameters_leave_the_answers(record: Json, parameters: object) -> None:
    logged = read_challenge(record | {"data_aug_params": parameters}, HERE)
    assert logged.challenge.augmentation.geometry is None
    assert [reject.column for reject in logged.problems] == ["data_aug_params"]
    assert len(logged.challenge.responses) == 10


def test_letterbox_flips_and_no_augmentation(record: Json, golden: Path) -> None:
    record["data_aug_params"]["RandomHorizontalFlipWithParams"] = {"do_flip": True}
    assert read_challenge(record, HERE).challenge.augmentation.flip_horizontal
    text = (golden / "e9" / "challenges.jsonl").read_text(encoding="utf-8")
    letterbox = read_challenge(json.loads(text.splitlines()[0]), HERE).challenge.augmentation
    assert letterbox.geometry is Geometry.LETTERBOX
    assert letterbox.letterbox_padding == (0, 28, 0, 28)
    assert (letterbox.letterbox_height, letterbox.letterbox_width) == (168, 224)
    bare = {key: value for key, value in record.items() if not key.startswith("data_aug")}
    none = read_challenge(bare, HERE).challenge
    assert none.augmentation.geometry is Geometry.NONE
    assert none.era == "E10"
    failed = record | {"data_aug_level": -1, "data_aug_params": {}}
    assert read_challenge(failed, HERE).challenge.augmentation.geometry is Geometry.NONE
