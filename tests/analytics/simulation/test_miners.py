"""Simulated miners: every kind occurs and shows in its answers."""

from collections import defaultdict

import numpy as np

from analytics.simulation.miners import MinerKind
from analytics.simulation.validator import SimulatedValidator
from tests.worlds.simulated_logs import golden_sources, small_log, small_settings


def test_every_kind_of_miner_is_there_and_shows() -> None:
    settings = small_settings()
    validator = SimulatedValidator(settings, golden_sources())
    miners = {miner.uid: miner for miner in validator.population.miners}
    assert {miner.kind for miner in miners.values()} == set(MinerKind)
    answers: dict[MinerKind, list[float]] = defaultdict(list)
    copies = []
    for record in validator.records():
        asked = list(zip(record["miner_uids"], record["predictions"], strict=True))
        for uid, prediction in asked:
            answers[miners[uid].kind].append(prediction)
        copies.append({p for uid, p in asked if miners[uid].kind is MinerKind.COPY})
    assert 1.7 in answers[MinerKind.OUT_OF_RANGE]
    assert 0.5 in answers[MinerKind.HALF]
    assert set(answers[MinerKind.HARD]) == {0.0, 1.0}
    assert np.mean(np.array(answers[MinerKind.SILENT]) == -1) > 0.7
    assert max(map(len, copies)) == 1
    assert len([kind for kind in miners.values() if kind.kind is MinerKind.COPY]) == 3
    assert all(0 < p < 1 for p in answers[MinerKind.SKILLED] + answers[MinerKind.MEDIOCRE])


def error_rate(level: int, kind: MinerKind) -> float:
    settings = small_settings()
    kinds = {
        m.uid: m.kind for m in SimulatedValidator(settings, golden_sources()).population.miners
    }
    wrong = [
        np.round(prediction) != record["label"]
        for record in small_log("E7")
        if record["data_aug_level"] == level
        for uid, prediction in zip(record["miner_uids"], record["predictions"], strict=True)
        if kinds[uid] is kind
    ]
    return float(np.mean(wrong))


def test_skill_and_level_show_in_the_error_rate() -> None:
    assert error_rate(0, MinerKind.SKILLED) < error_rate(3, MinerKind.SKILLED)
    assert error_rate(3, MinerKind.SKILLED) < error_rate(3, MinerKind.MEDIOCRE) < 0.5


def test_hotkeys_are_shaped_like_real_ones() -> None:
    hotkeys = {hotkey for record in small_log("E7") for hotkey in record["miner_hotkeys"]}
    assert len(hotkeys) == 27
    assert all(len(key) == 48 and key.startswith("5") and key.isalnum() for key in hotkeys)
