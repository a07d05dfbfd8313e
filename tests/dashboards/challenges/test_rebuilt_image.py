"""The page shows the very images that a replay's candidate was shown, and sees new sources."""

import io
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import streamlit as st
from PIL import Image

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading
from dashboards.challenges.access import ShownImages, opened
from dashboards.challenges.rebuilt_image import rebuilt_image
from dashboards.parts import store_access
from data.errors import RunError
from data.records.stored_challenge import StoredChallenge
from data.records.stored_challenges import StoredChallenges
from data.sources.shards import Shards
from data.store import STORE_VARIABLE, Store
from replay.augmentation.distortions import Pixels
from replay.candidates.predictor import Batch, Predictions
from replay.plans.plan import plan
from replay.rebuilding.variants import Variant, distortion_combinations
from replay.runs.run import replay
from replay.settings import Arithmetic, ReplaySettings, VariantSettings, recorded_settings
from tests.conftest import GOLDEN
from tests.dashboards.page import the_page
from tests.worlds.stores import encoded, picture, write_shard

SEED, COUNT = 7, 5
SETTINGS = ReplaySettings(seed=SEED, arithmetic=Arithmetic.AVX512)


@dataclass
class Recorder:
    """A candidate that keeps what it is shown, and answers each image with a number of its own."""

    name = "recorder"
    wants_metadata = False
    fingerprint: str = "1"
    shown: dict[float, Pixels] = field(default_factory=dict)

    def predict(self, batch: Batch) -> Predictions:
        answers = []
        for image in batch.images:
            answer = (len(self.shown) + 1) / 1024
            self.shown[answer] = np.array(image)
            answers.append(answer)
        return Predictions(np.array(answers))


@dataclass(frozen=True)
class Replayed:
    store: Store
    run_id: str
    challenges: list[StoredChallenge]
    shown: dict[float, Pixels]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Challenges of levels 1 to 3, two of each, replayed with a seed and count of its own."""
    store = Store(tmp_path_factory.mktemp("replayed"))
    ingest(store, [GOLDEN / "e7" / "challenges.jsonl"])
    (store.sources / "below").mkdir(parents=True)
    for shard in (GOLDEN / "e7" / "sources").glob("*.parquet"):
        shutil.copyfile(shard, store.sources / "below" / shard.name)
    challenges: list[StoredChallenge] = []
    with reading(store) as connection:
        for level in (1, 2, 3):
            challenges += stored_challenges(
                connection, ChallengeSelection(levels=(level,), limit=2)
            )
    shards, recorder = Shards(store.sources), Recorder()
    planned = plan(StoredChallenges.of(challenges), shards, VariantSettings(COUNT, SEED))
    report = replay(store, recorder, planned, shards, settings=SETTINGS)
    assert report.predicted == len(challenges)
    return Replayed(store, report.run_id, challenges, recorder.shown)


def shown_images_of(store: Store, run_id: str, challenge: StoredChallenge) -> ShownImages:
    shown = opened(store_access.images_version(store), challenge.challenge_id, run_id).shown
    assert shown is not None
    return shown


def test_the_page_shows_the_pixels_that_the_candidate_was_shown(replayed: Replayed) -> None:
    version = store_access.images_version(replayed.store)
    compared = 0
    for challenge in replayed.challenges:
        shown_images = shown_images_of(replayed.store, replayed.run_id, challenge)
        level = challenge.augmentation.aug_level
        assert len(shown_images.images) == (1 if level == 1 else COUNT)
        assert shown_images.settings == SETTINGS
        for image in shown_images.images:
            variant = Variant(
                distortion_combinations(level)[image.variant], image.weight, image.variant
            )
            shown = rebuilt_image(version, challenge, variant, shown_images)
            assert shown.same_source
            pixels = np.asarray(Image.open(io.BytesIO(shown.png or b"")))[::2, ::2]
            assert np.array_equal(pixels, replayed.shown[image.probability])
            compared += 1
    assert compared == len(replayed.shown) == 2 + 4 * COUNT


def test_a_page_tells_the_answer_to_each_image(
    replayed: Replayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(replayed.store.root))
    challenge = replayed.challenges[-1]
    page = the_page("challenges", challenge=challenge.challenge_id)
    shown_images = shown_images_of(replayed.store, replayed.run_id, challenge)
    (strip,) = page.button_group
    assert len(strip.options) == len(shown_images.images) == COUNT
    for place in (0, COUNT - 1):
        page.button_group[0].set_value(place).run()
        texts = [element.value for element in page.text]
        answer = shown_images.images[place].probability
        assert f"Candidate's answer to this image: {answer:.4f}" in texts
    assert not page.exception


def test_a_shard_that_is_not_the_one_that_was_replayed_is_told(
    replayed: Replayed, tmp_path: Path
) -> None:
    """Of the same ids, so that nothing in the record speaks against it."""
    shutil.copytree(replayed.store.root, tmp_path / "store")
    store, challenge = Store(tmp_path / "store"), replayed.challenges[0]
    (file,) = store.sources.rglob(challenge.parquet or "")
    table = pq.read_table(file)
    file.unlink()
    pq.write_table(table, file, row_group_size=1)
    version = store_access.images_version(store)
    shown_images = shown_images_of(replayed.store, replayed.run_id, challenge)
    shown = rebuilt_image(
        version, challenge, Variant(distortion_combinations(1)[0], 1.0, 0), shown_images
    )
    assert shown.png is not None
    assert not shown.same_source


CHANGES = {
    "a shard in a folder below": lambda root: write_shard(root / "a" / "b", [b"x"]),
    "a cached image": lambda root: (root / "x__image_0.png").write_bytes(
        encoded(picture((32, 24)), "PNG")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_new_sources_are_another_version(store: Store, change: str) -> None:
    ingest(store, [GOLDEN / "e9" / "challenges.jsonl"])
    store.sources.mkdir()
    before = store_access.images_version(store)
    assert store_access.images_version(store) == before
    act: Any = CHANGES[change]
    act(store.sources)
    assert store_access.images_version(store) != before
    (store.sources / "lost.parquet").symlink_to("nothing")
    assert store_access.images_version(store).sources


def test_a_new_shard_below_is_seen_at_the_next_click(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(store, [GOLDEN / "e9" / "challenges.jsonl"])
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    st.cache_resource.clear()
    with reading(store) as connection:
        (challenge,) = stored_challenges(connection, ChallengeSelection(levels=(1,), limit=1))
    page = the_page("challenges", challenge=challenge.challenge_id)
    assert not page.get("image")
    (store.sources / "data").mkdir(parents=True)
    for shard in (GOLDEN / "e9" / "sources").glob("*.parquet"):
        shutil.copyfile(shard, store.sources / "data" / shard.name)
    page.run()
    # what was sent, and its source
    assert len(page.get("image")) == 2
    assert not page.exception


@pytest.mark.parametrize("described", [{}, {"settings": None}, {"settings": {"later": 1}}])
def test_what_an_older_run_did_not_record_is_the_default(described: dict[str, object]) -> None:
    assert recorded_settings(described) == ReplaySettings()
    assert recorded_settings({"settings": {"seed": 3}}) == ReplaySettings(seed=3)
    for unknown in ({"arithmetic": "sse"}, {"seed": [1]}):
        with pytest.raises(RunError, match=r"settings of replay-a: found .*; replay again"):
            recorded_settings({"run_id": "replay-a", "settings": unknown})
