"""What a retraining on weighted rows brings where the log has a region that the champion never saw.

Not a speed. In a simulated world whose scenes look different in one city, a champion is trained on
rows without the city. The log is half of the city; of the source rows to retrain on a seventh is.
`streetreplay retrain` runs as from a shell; beside it a challenger is made with uniform weights, by
the same settings, steps and seed. `python -m tests.bench.retraining.unlike_region FOLDER` keeps the
world in the folder and goes on where it stopped; `--help` names the sizes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import CANDIDATE, Challenges, Flags, without_miners
from analytics.ingest.ingest import ingest
from analytics.scoring.metrics import Floats, mcc_of_tables
from analytics.simulation.sources import sources_of_shard
from analytics.simulation.validator import SimulationSettings, simulate
from data.progress import silent
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings, cities_with
from data.sources.shards import Shards
from data.store import Store
from data.terminal import note, print_table, say
from model.champion.champion import champion, present_champion
from model.champion.succession import set_champion
from model.demo.settings import DemoTraining
from model.demo.training import train_demo
from model.promotion_gate.logged_evidence import logged_evidence
from model.retraining.champion_training import training_of
from model.retraining.gate_run import GateRun
from model.retraining.interpolation import save_interpolated
from model.retraining.settings import ChallengerSettings
from model.rows.settings import SplitSettings
from model.training.base_checkpoint import load_base
from model.training.train import train
from replay.settings import VariantSettings
from tests.bench.training.options import sizes_from

CITY = "phoenix"
_SCENES = SceneSettings(
    paired=True, size_mix=(((800, 450), 1.0),), unlike_cities=(CITY,), row_group_rows=50
)


@dataclass(frozen=True)
class Sizes:
    """The size of the world.

    Scenes that the champion is trained on, each drawn with and without roadwork; new scenes, of
    which `new_share` are of the city; source images of the log, `log_share` of them and of the
    challenges of the city; challenges; and variants of a level 2 or 3 challenge.
    """

    scenes: int = 600
    new_scenes: int = 150
    new_share: float = 0.85
    images: int = 800
    challenges: int = 1600
    log_share: float = 0.5
    variants: int = 4


@dataclass(frozen=True)
class World:
    """A store with a log and a champion, and the source rows to retrain on."""

    store: Store
    rows: Path
    sizes: Sizes


def make_world(root: Path, sizes: Sizes) -> World:
    """Draw, simulate and train what is not there yet."""
    store, rows = Store(root / "store"), root / "rows"
    old = replace(_SCENES, seed=7272, rows=2 * sizes.scenes, split="old")
    old = replace(old, city_mix=cities_with(CITY, 0.0))
    new = replace(_SCENES, seed=99, rows=2 * sizes.new_scenes, split="new")
    new = replace(new, city_mix=cities_with(CITY, sizes.new_share))
    logged = replace(_SCENES, seed=5, rows=sizes.images, split="log", paired=False)
    logged = replace(logged, city_mix=cities_with(CITY, sizes.log_share))
    for folder, settings in ((root / "old", old), (rows, old), (rows, new)):
        write_shards(folder, settings)
    shards = write_shards(store.sources, logged)
    if not store.warehouse.exists():
        log = root / "validator.jsonl"
        simulation = SimulationSettings(
            seed=72,
            challenges=sizes.challenges,
            uids=40,
            validators=3,
            common_city=CITY,
            common_share=sizes.log_share,
        )
        sources = [source for shard in shards for source in sources_of_shard(shard)]
        log.write_text("".join(json.dumps(each) + "\n" for each in simulate(simulation, sources)))
        ingest(store, [log])
    folder = store.models / "first"
    train_demo(store, Shards(root / "old"), folder, DemoTraining(scenes=sizes.scenes), note=note)
    if champion(store) is None:
        set_champion(store, folder)
    return World(store, rows, sizes)


def retrain(world: World) -> tuple[dict[str, Any], float]:
    """The report of the command, and the minutes that it took; kept, as it is not done twice."""
    kept = world.store.root / "retrain.json"
    if not kept.exists():
        words = ["retrain", "--json", f"--store={world.store.root}", f"--rows={world.rows}"]
        words.append(f"--variants={world.sizes.variants}")
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "streetreplay", *words], stdout=subprocess.PIPE, check=True
        )
        minutes = (time.perf_counter() - start) / 60
        kept.write_text(json.dumps([json.loads(done.stdout), minutes]))
    report, minutes = json.loads(kept.read_text())
    return report, minutes


def train_uniformly(world: World, first: Path) -> Path:
    """A challenger that is made likewise, of draws with the same weight for each row."""
    trained, out = world.store.models / "uniform-trained", world.store.models / "uniform"
    config = training_of(world.store)  # those of the first champion, whichever stands
    train(world.store, Shards(world.rows), trained, config, initial_checkpoint=first, note=note)
    save_interpolated(load_base(first), trained, out, ChallengerSettings().interpolation)
    return out


def score_row(
    where: str, sides: Sequence[Challenges], members: Flags, left_out: int
) -> tuple[object, ...]:
    """MCC of two models on some challenges, and the paired difference."""
    settings = BootstrapSettings()
    counts = [
        image_confusion(without_miners(side).within(members), side.positive_shares())
        for side in sides
    ]

    def scores(repeats: Any) -> Floats:
        return mcc_of_tables(np.stack([each.summed(repeats)[0, CANDIDATE] for each in counts]))

    before, after = scores(None)
    image_count = sides[0].image_count
    drawn = np.stack(
        [scores(image_repeats(image_count, settings, draw)) for draw in range(settings.draws)]
    )
    differences = drawn[:, [1]] - drawn[:, [0]]
    [ends] = centred_intervals(np.array([after - before]), differences, settings.level)
    interval: Interval = (float(ends[0]), float(ends[1]))
    n = int(members.sum())
    return where, before, after, after - before, _signed(interval), n, left_out


def _signed(interval: Interval) -> str:
    return f"{interval[0]:+.3f} to {interval[1]:+.3f}"


def main(arguments: Sequence[str]) -> None:
    """Print the share of draws, what the gate said, and MCC in the city and elsewhere."""
    root, sizes = Path(arguments[0]), sizes_from(Sizes, arguments[1:])
    world = make_world(root, sizes)
    first = world.store.models / "first"
    report, minutes = retrain(world)
    challenger = Path(report["folder"]) / "checkpoint"
    uniform = train_uniformly(world, first)
    folders = {"first": first, "weighted": challenger, "uniform": uniform}
    gate_run = GateRun(
        store=world.store,
        shards=Shards(world.store.sources),
        row_shards=Shards(world.rows),
        rows=[],
        split=SplitSettings(),
        base=None,
        champion=present_champion(world.store),
        variants=VariantSettings(sizes.variants),
        progress=silent,
    )
    runs = {name: gate_run.replay(folder) for name, folder in folders.items()}
    table = []
    for before, after in (("first", "weighted"), ("first", "uniform"), ("uniform", "weighted")):
        evidence = logged_evidence(world.store, runs[before], runs[after])
        assert evidence is not None
        sides = (evidence.champion, evidence.challenger)
        [here] = [each.members for each in evidence.slices if each.value == CITY]
        left_out = sum(evidence.left_out.values())
        for where, members in ((CITY, here), ("elsewhere", ~here)):
            table.append((before, after, *score_row(where, sides, members, left_out)))
    draws = report["weights"]["draws"]
    say(f"draws near the targets: {draws['before']:.1%} without weights, {draws['after']:.1%} with")
    say(f"`retrain` took {minutes:.1f} minutes: {'; '.join(report['verdict']['reasons'])}")
    print_table(
        "MCC on logged challenges: the first champion, and challengers of both kinds of weights",
        (
            "model",
            "other model",
            "where",
            "MCC",
            "other MCC",
            "difference",
            "95% interval",
            "n",
            "left out",
        ),
        table,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
