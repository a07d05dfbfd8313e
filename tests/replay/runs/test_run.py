import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from analytics.queries.user_sql import query
from data.errors import RunError
from data.store import Store
from replay.candidates.predictor import Batch, LazySequence, Predictions
from replay.plans.plan import Plan, plan
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.rebuild import Rebuilder
from replay.runs.run import replay
from replay.settings import ReplaySettings, VariantSettings
from tests.replay.runs.brightness import Brightness, stored_predictions
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    made = World(store, record)
    images = [encoded(picture((320, 240), seed=k)) for k in range(4)]
    write_shard(store.sources, [*images, b"broken"])
    for k in range(10):
        made.ask(k % 4, **(LEVEL_0 if k % 2 else level_1(float(k), [0, k, 100, 100])))
    made.ask(4, **LEVEL_0)
    made.ask(0, source="synthetic", **LEVEL_0)
    return made


def planned(world: World) -> Plan:
    return plan(world.ingest(), world.shards)


def move_to_an_empty_store(world: World) -> None:
    """The same shards, no warehouse, no runs."""
    other = Store(world.store.root.parent / "another")
    shutil.copytree(world.store.sources, other.sources)
    world.store = other


def test_every_challenge_gets_a_row_and_those_without_an_answer_say_why(world: World) -> None:
    report = replay(world.store, Brightness(), planned(world), world.shards)
    assert (report.selected, report.predicted) == (12, 10)
    assert report.left_out == {Reason.BYTES: 1, Reason.SYNTHETIC: 1}
    found = query(
        world.store,
        "SELECT fidelity, reason, count(probability), count(*) FROM replay_predictions "
        "GROUP BY ALL ORDER BY ALL",
    ).rows
    assert found == [
        ("exact", None, 10, 10),
        ("impossible", "bytes unreadable", 0, 1),
        ("impossible", "synthetic source", 0, 1),
    ]
    runs = query(world.store, "SELECT run_id, model, selected, predicted FROM replay_runs").rows
    assert runs == [(report.run_id, "brightness", 12, 10)]


def test_answers_are_of_the_decoded_jpeg_of_their_own_challenge(world: World) -> None:
    replay(world.store, Brightness(), planned(world), world.shards)
    stored = {row[0]: row[1] for row in stored_predictions(world.store)}
    rebuilder = Rebuilder(world.shards)
    for challenge in world.ingest()[:10]:
        image = rebuilder.rebuild(challenge).decoded()
        assert stored[challenge.challenge_id] == image.mean() / 255


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_answers_do_not_depend_on_the_batch(world: World, batch: int) -> None:
    replay(world.store, Brightness(), planned(world), world.shards)
    before = stored_predictions(world.store)
    move_to_an_empty_store(world)
    settings = ReplaySettings(challenges=batch)
    report = replay(world.store, Brightness(), planned(world), world.shards, settings=settings)
    assert report.predicted == 10
    assert stored_predictions(world.store) == before


def test_the_same_replay_again_is_the_same_run_and_asks_nothing(world: World) -> None:
    first = replay(world.store, Brightness(), planned(world), world.shards)
    again = Brightness()
    assert replay(world.store, again, planned(world), world.shards) == first
    assert again.asked == []
    assert query(world.store, "SELECT count(*) FROM replay_runs").rows == [(1,)]


def test_another_model_other_challenges_or_other_shards_are_another_run(world: World) -> None:
    everything = planned(world)
    first = replay(world.store, Brightness(), everything, world.shards)
    other_model = replay(world.store, Brightness(fingerprint="2"), everything, world.shards)
    fewer = replay(world.store, Brightness(), everything[:5], world.shards)
    write_shard(world.store.sources, [encoded(picture((320, 240), seed=9))] * 5)
    other_shards = replay(world.store, Brightness(), planned(world), world.shards)
    runs = {report.run_id for report in (first, other_model, fewer, other_shards)}
    assert len(runs) == 4


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(world: World) -> None:
    settings = ReplaySettings(challenges=4)

    class Dies(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            if len(self.asked) == 2:
                raise KeyboardInterrupt
            return super().predict(batch)

    with pytest.raises(KeyboardInterrupt):
        replay(world.store, Dies(), planned(world), world.shards, settings=settings)
    assert query(world.store, "SELECT count(*) FROM replay_runs").rows == [(0,)]
    resumed = Brightness()
    replay(world.store, resumed, planned(world), world.shards, settings=settings)
    assert len(resumed.asked) < 3
    interrupted = stored_predictions(world.store)
    move_to_an_empty_store(world)
    replay(world.store, Brightness(), planned(world), world.shards, settings=settings)
    assert stored_predictions(world.store) == interrupted


def test_the_run_folder_tells_what_was_run(world: World) -> None:
    report = replay(world.store, Brightness(), planned(world), world.shards)
    folder = world.store.runs / report.run_id
    described = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert described["model_fingerprint"] == "1"
    assert described["challenges"] == 12
    assert {"streetreplay", "git_commit", "git_dirty"} <= described["made_by"].keys()
    assert list(described["sources"]) == ["train-00000-of-00001.parquet"]
    parts = sorted((folder / "parts").iterdir())
    assert [path.name for path in parts] == ["part-00000.parquet"]
    assert pq.ParquetFile(parts[0]).metadata.num_rows == 12


def test_metadata_reach_only_a_candidate_that_asks_for_them(world: World) -> None:
    blind, fed = Brightness(), Brightness(fingerprint="fed", wants_metadata=True)
    replay(world.store, blind, planned(world), world.shards)
    report = replay(world.store, fed, planned(world), world.shards)
    assert blind.seen == []
    assert fed.seen[0]["city"] == "indianapolis"
    assert "label" not in fed.seen[0]
    uses = f"SELECT uses_metadata FROM replay_runs WHERE run_id = '{report.run_id}'"  # noqa: S608
    assert query(world.store, uses).rows == [(True,)]


def test_a_distribution_is_the_weighted_mean_over_its_possible_images(world: World) -> None:
    world.ask(1, **level_1(4.0, [0, 0, 100, 100]) | {"data_aug_level": 2})
    world.ask(2, **level_1(5.0, [0, 0, 100, 100]) | {"data_aug_level": 3})
    challenges = world.ingest()
    everything = plan(challenges, world.shards, VariantSettings(count=40))
    report = replay(world.store, Brightness(), everything, world.shards)
    assert (report.exact, report.distributions) == (10, 2)
    assert report.images == 10 + 8 + 40
    assert 20 <= report.noisy <= 30
    rows = query(
        world.store, "SELECT challenge_id, variant, weight, noisy, probability FROM replay_variants"
    ).rows
    distorted = challenges[-1]
    found = {row[1]: row for row in rows if row[0] == distorted.challenge_id}
    rebuilder = Rebuilder(world.shards)
    variants = next(i.variants for i in everything if i.challenge == distorted)
    for one in variants:
        _, _, weight, noisy, probability = found[one.index]
        assert (weight, noisy) == (one.weight, one.noisy)
        assert probability == rebuilder.rebuild(distorted, one).decoded().mean() / 255
    answers_of = np.array([found[one.index][4] for one in variants])
    columns = "challenge_id, probability, spread, positive_share, fidelity, images, noisy"
    predicted = query(world.store, f"SELECT {columns} FROM replay_predictions").rows  # noqa: S608
    stored = next(row[1:] for row in predicted if row[0] == distorted.challenge_id)
    assert stored[:3] == pytest.approx(
        (answers_of.mean(), answers_of.std(), (answers_of > 0.5).mean())
    )
    assert stored[3:] == ("distribution", 40, sum(one.noisy for one in variants))


@pytest.mark.parametrize("answer", [np.nan, -0.1, 1.1, np.inf])
def test_an_answer_that_is_no_probability_is_refused(world: World, answer: float) -> None:
    class Wrong(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            return Predictions(np.full(len(batch.images), answer))

    with pytest.raises(RunError, match=r"probability in 0\.\.1"):
        replay(world.store, Wrong(), planned(world), world.shards)
    assert query(world.store, "SELECT count(*) FROM replay_runs").rows == [(0,)]


def test_gates_are_kept_as_the_weighted_mean_over_possible_images(
    store: Store, record: dict[str, Any]
) -> None:
    class Gated(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            answers = super().predict(batch).probability
            return Predictions(answers, np.stack([answers, 1 - answers], axis=1))

    world = World(store, record)
    write_shard(store.sources, [encoded(picture((320, 240)))])
    world.ask(0, **LEVEL_0)
    world.ask(0, **{**level_1(3.0, [5, 5, 90, 90]), "data_aug_level": 2})
    report = replay(store, Gated(), planned(world), world.shards)
    assert (report.predicted, report.images) == (2, 9)
    found = query(
        store,
        "SELECT view, count(*), max(abs(gate - if(view = 1, probability, 1 - probability))) < 1e-6 "
        ", max(abs(gate - share)) < 1e-6 "
        "FROM replay_gates JOIN replay_predictions USING (run_id, challenge_id) "
        "GROUP BY view ORDER BY view",
    ).rows
    # an image's two gates sum to 1, so they are its shares
    assert found == [(1, 2, True, True), (2, 2, True, True)]
    # what the folder holds is published again into a new warehouse, as after another format of it
    store.warehouse.unlink()
    again = Gated()
    assert replay(store, again, planned(world), world.shards) == report
    assert again.asked == []
    assert query(store, "SELECT count(*) FROM replay_gates").rows == [(4,)]


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        (np.zeros((3, 12)), r"shape \(3, 12\); expected \(10, views\)"),
        (np.zeros(10), r"shape \(10,\)"),
        (np.full((10, 12), 1.5), "outside 0..1"),
        (np.full((10, 12), np.nan), "outside 0..1"),
    ],
)
def test_gates_that_are_none_are_refused(world: World, gates: Any, words: str) -> None:
    class Odd(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            return Predictions(super().predict(batch).probability, gates)

    with pytest.raises(RunError, match=words):
        replay(world.store, Odd(), planned(world), world.shards)


def test_a_wrong_number_of_answers_is_refused(world: World) -> None:
    class Short(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            return Predictions(np.zeros(1))

    with pytest.raises(RunError, match="one each"):
        replay(world.store, Short(), planned(world), world.shards)


def test_nothing_to_replay_is_an_error(world: World) -> None:
    with pytest.raises(RunError, match="found no challenge"):
        replay(world.store, Brightness(), planned(world)[:0], world.shards)


def test_images_are_built_when_looked_at() -> None:
    built: list[int] = []

    def build(k: int) -> Any:
        built.append(k)
        return np.full((2, 2, 3), k, np.uint8)

    images = LazySequence([lambda k=k: build(k) for k in range(3)])  # type: ignore[misc]
    assert len(images) == 3
    assert built == []
    assert images[-1][0, 0, 0] == 2
    assert [image[0, 0, 0] for image in images[1:]] == [1, 2]
    assert built == [2, 1, 2]
    with pytest.raises(IndexError):
        images[3]


def test_a_store_of_another_place_is_not_touched(world: World, tmp_path: Path) -> None:
    replay(world.store, Brightness(), planned(world), world.shards)
    assert not (tmp_path / "unnamed-store").exists()
