"""The command `champion`, and the candidate of that name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import streetreplay
from data.errors import RunError
from data.store import Store
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.champion.champion import champion
from model.champion.command_line_name import checkpoint_name, names_champion
from model.champion.succession import gate, set_champion
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from replay.candidates import registry
from replay.candidates.registry import LoadSettings, name_on_nodes
from tests.model.champion.checkpoints import GATE, a_checkpoint, bad_evidence
from tests.model.checkpoint.checkpoint_on_vit import BACKBONE, SETTINGS, a_model


def run(store: Store, *words: str) -> str:
    result = CliRunner().invoke(
        streetreplay.app, ["champion", *words, f"--store={store.root}"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_sets_shows_and_rolls_back(store: Store) -> None:
    first, second = (a_checkpoint(store, name, k) for k, name in enumerate(("first", "second")))
    assert "(entry 1, set: set by a person, without a gate)" in run(store, "set", str(first))
    assert json.loads(run(store, "set", str(second), "--json"))["entry"] == 2
    shown = json.loads(run(store, "show", "--json"))
    assert shown["folder"] == str(second)
    assert [entry["in_effect"] for entry in shown["promotions"]] == [True, True]
    assert json.loads(run(store, "rollback", "--json"))["restores"] == 1
    found = champion(store)
    assert found is not None
    gate(store, found, second, bad_evidence(), GATE)
    text = " ".join(run(store, "show").split())
    assert text.startswith(f"{first}, sha256 {found.sha256[:12]}, by entry 3")
    assert "the last 20 of 4" in text
    assert "refused" in text


def test_without_a_champion_it_says_how_to_name_one(store: Store) -> None:
    for words in (["show"], ["rollback"]):
        result = CliRunner().invoke(streetreplay.app, ["champion", *words, f"--store={store.root}"])
        assert isinstance(result.exception, RunError)
        assert "champion set FOLDER" in str(result.exception)
    with pytest.raises(RunError, match="no champion in this store"):
        checkpoint_name("champion", store)


def test_replay_calls_the_stores_champion_by_its_name(store: Store) -> None:
    folder = a_checkpoint(store, "first", 1)
    set_champion(store, folder)
    assert names_champion("champion")
    assert names_champion("champion#keep=6")
    assert not names_champion("./champion")
    assert not names_champion("champions")
    assert checkpoint_name("champion#keep=6", store) == f"checkpoint:{folder}#keep=6"


def test_nodes_of_a_cluster_have_no_champion_of_a_store_on_a_server(store: Store) -> None:
    folder = a_checkpoint(store, "first", 1)
    set_champion(store, folder)
    name = "champion#keep=6"
    assert name_on_nodes(name, store) == f"checkpoint:{folder}#keep=6"
    with pytest.raises(RunError, match=rf"{name}: found a model in the .* from {folder}, or leave"):
        name_on_nodes(name, replace(store, url="s3://bucket/store"))


def test_the_registry_loads_it_as_the_checkpoint_that_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    backbone = load_backbone(BackboneSettings(BACKBONE, RANDOM, seed=3), "cpu")
    folder = store.models / "mine"
    save_checkpoint(folder, a_model(), card_of(SETTINGS, backbone, {"trained": ["scorer"]}))
    set_champion(store, folder)
    loaded, named = (registry.load(name, LoadSettings(store)) for name in ("champion", str(folder)))
    assert loaded.fingerprint == named.fingerprint
    assert loaded.name == f"mine on {BACKBONE}"
    pruned = registry.load("champion#keep=6", LoadSettings(store))
    assert "6 views" in pruned.name
    with pytest.raises(RunError, match="no champion in this store"):
        registry.load("champion", LoadSettings(Store(store.root / "empty")))


def test_an_altered_champion_is_not_replayed(store: Store, tmp_path: Path) -> None:
    folder = a_checkpoint(store, "first", 1)
    set_champion(store, folder)
    (folder / "model.safetensors").write_bytes(b"other")
    with pytest.raises(RunError, match="expected sha256"):
        checkpoint_name("champion", store)
