"""Checkpoints and verdicts for tests of what becomes champion."""

from pathlib import Path

from data.store import Store
from model.champion.champion import Champion, champion
from model.checkpoint.checkpoint import save_checkpoint
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.settings import GateSettings
from tests.model.checkpoint.random_checkpoint import CARD, a_model, rows
from tests.model.promotion_gate.simulated_gates import GateWorld, a_gate

GATE = GateSettings(draws=100)


def a_checkpoint(store: Store, name: str, number: int) -> Path:
    """A folder among the store's models, with a checkpoint of its own weights and rows."""
    folder = store.models / name
    save_checkpoint(folder, a_model(number), CARD, training_rows=rows(number))
    return folder


def good_evidence(seed: int = 1) -> Evidence:
    """A challenger that is much better."""
    return a_gate(seed, 3.0, GateWorld(images=200), challenger_id=f"good {seed}")


def bad_evidence(seed: int = 1) -> Evidence:
    """A challenger that is no better; each seed another one, on the same gate set."""
    return a_gate(seed, 1.5, GateWorld(images=200), challenger_id=f"bad {seed}")


def present(store: Store) -> Champion:
    """The champion, of which there has to be one."""
    found = champion(store)
    assert found is not None
    return found
