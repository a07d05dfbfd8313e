import pickle
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import numpy as np
import pytest
import timm
import torch
from huggingface_hub.errors import EntryNotFoundError
from safetensors.torch import save_file

from data.errors import RunError
from model.backbone import batch_size as memory
from model.backbone import weights as backbone_weights
from model.backbone.backbone import RANDOM, Backbone, BackboneSettings, load_backbone, outline
from model.backbone.batch_size import MemorySettings

VIT = BackboneSettings("test_vit", RANDOM)
CPU = torch.device("cpu")
Tensors = dict[str, torch.Tensor | None]


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="module")
def vit() -> Backbone:
    return load_backbone(VIT, "cpu")


def views(count: int, side: int = 160) -> torch.Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def saved(path: Path, name: str = "test_vit", changes: Tensors | None = None) -> str:
    tensors = timm.create_model(name).state_dict() | (changes or {})
    save_file({key: one for key, one in tensors.items() if one is not None}, path)
    return str(path)


@pytest.mark.parametrize(
    "name", ["test_vit", "test_vit2", "test_resnet", "test_convnext", "test_efficientnet"]
)
def test_any_name_gives_timms_own_pooled_features(name: str) -> None:
    backbone = load_backbone(BackboneSettings(name, RANDOM), "cpu")
    torch.manual_seed(0)
    plain = timm.create_model(name, num_classes=0).eval()
    with torch.no_grad():
        expected = plain(views(2, backbone.side))
    torch.testing.assert_close(backbone(views(2, backbone.side)), expected)
    assert expected.shape == (2, backbone.width)
    data: Any = timm.data
    config = data.resolve_model_data_config(plain)
    assert (backbone.views.side, backbone.side) == (config["input_size"][-1],) * 2
    assert (backbone.views.mean, backbone.views.std) == (config["mean"], config["std"])


def test_the_largest_is_1280_wide_and_known_without_its_memory() -> None:
    found = outline(BackboneSettings("vit_huge_plus_patch16_dinov3"))
    assert (found.width, found.side, found.patch) == (1280, 256, 16)
    assert found.parameters > 840e6


def test_a_side_must_divide_by_the_patch() -> None:
    with pytest.raises(RunError) as raised:
        outline(BackboneSettings("vit_small_patch16_dinov3", side=518))
    assert str(raised.value) == (
        "side of vit_small_patch16_dinov3: found 518 pixels, patches of 16; "
        "expected a multiple of its patch, such as 512 or 528"
    )
    assert outline(BackboneSettings("vit_small_patch14_dinov2", side=518)).patch == 14


def test_models_of_fixed_size_are_made_for_the_side() -> None:
    backbone = load_backbone(BackboneSettings("test_vit", RANDOM, side=96), "cpu")
    assert backbone(views(2, 96)).shape == (2, backbone.width)
    assert load_backbone(BackboneSettings("test_resnet", RANDOM, side=50), "cpu").side == 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vit_smal_patch16_dino3", "such as vit_small_patch16_dinov3"),
        ("test_vit.nonsense", "such as .*test_vit.r160_in1k"),
        ("hf-hub:someone/something", "no such model in timm"),
        ("local-dir:/etc", "no such model in timm"),
    ],
)
def test_unknown_names_are_told_with_near_ones(name: str, words: str) -> None:
    with pytest.raises(RunError, match=words):
        load_backbone(BackboneSettings(name, RANDOM))


def test_random_weights_come_from_the_seed_alone(vit: Backbone) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = load_backbone(VIT, "cpu")
    assert torch.equal(before, torch.get_rng_state())
    assert again.fingerprint == vit.fingerprint
    assert torch.equal(again(views(1)), vit(views(1)))
    other = load_backbone(BackboneSettings("test_vit", RANDOM, seed=1), "cpu")
    assert other.fingerprint != vit.fingerprint


def test_the_fingerprint_tells_sides_and_every_weight_apart(vit: Backbone) -> None:
    assert load_backbone(BackboneSettings("test_vit", RANDOM, 96)).fingerprint != vit.fingerprint
    trained = load_backbone(BackboneSettings("test_vit", RANDOM, frozen=False), "cpu")
    before = trained.fingerprint
    with torch.no_grad():
        trained.model.norm.weight[3] += 1e-6
    assert trained.fingerprint != before


def test_a_frozen_backbone_never_trains(vit: Backbone) -> None:
    assert not vit.train().training
    assert not any(one.requires_grad for one in vit.parameters())
    assert not vit(views(1)).requires_grad
    trained = load_backbone(BackboneSettings("test_vit", RANDOM, frozen=False), "cpu")
    assert trained.training
    assert trained(views(1)).requires_grad
    assert not trained.features(views(1)).requires_grad
    assert trained.training


# --- weights


@pytest.mark.parametrize("classifier", [True, False])
def test_a_local_file_is_loaded_whole_with_or_without_its_classifier(
    tmp_path: Path, classifier: bool
) -> None:
    model: Any = timm.create_model("test_vit", num_classes=7 if classifier else 0).eval()
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    backbone = load_backbone(BackboneSettings("test_vit", str(tmp_path / "w.safetensors")), "cpu")
    model.reset_classifier(0)
    with torch.no_grad():
        assert torch.equal(backbone(views(2)), model(views(2)))
    assert not backbone.model.pretrained_cfg["state_dict"]


def test_positions_are_resampled_to_another_side(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors")
    backbone = load_backbone(BackboneSettings("test_vit", path, side=96), "cpu")
    assert backbone(views(1, 96)).isfinite().all()


@pytest.mark.parametrize("suffix", ["bin", "pt", "pth", "pkl"])
def test_pickled_weights_are_never_opened(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(RunError, match=r"pickled weights can run code.*save_file"):
        load_backbone(BackboneSettings("test_vit", str(path)))


def test_a_pickle_under_a_safe_name_is_no_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    torch.save({"a": torch.ones(1)}, path)
    with pytest.raises(RunError, match="expected a whole safetensors file"):
        load_backbone(BackboneSettings("test_vit", str(path)))
    whole = Path(saved(tmp_path / "w.safetensors"))
    whole.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(RunError, match="expected a whole safetensors file"):
        load_backbone(BackboneSettings("test_vit", str(whole)))
    with pytest.raises(RunError, match="no such file"):
        load_backbone(BackboneSettings("test_vit", str(tmp_path / "none.safetensors")))


def test_what_a_file_lacks_or_has_too_much_is_named(tmp_path: Path) -> None:
    wrong: Tensors = {
        "norm.weight": None,
        "surplus": torch.ones(1),
        "norm.bias": torch.ones(3),
    }
    path = saved(tmp_path / "w.safetensors", changes=wrong)
    with pytest.raises(RunError) as raised:
        load_backbone(BackboneSettings("test_vit", path))
    words = str(raised.value)
    assert "1 missing (norm.weight)" in words
    assert "1 not the model's (surplus)" in words
    assert "norm.bias (3,) for (64,)" in words


def test_another_models_file_is_refused_naming_both(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", "test_resnet")
    with pytest.raises(RunError, match=r"found 92 tensors: 78 missing .*; expected the model's 78"):
        load_backbone(BackboneSettings("test_vit", path))


def test_hub_weights_are_safetensors_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def download(repository: str, file: str, revision: str | None = None) -> str:
        asked.append((repository, file))
        raise EntryNotFoundError("404")

    monkeypatch.setattr(backbone_weights, "hf_hub_download", download)
    with pytest.raises(RunError, match=r"no \.safetensors file in timm/test_vit\.r160_in1k"):
        load_backbone(BackboneSettings("test_vit"))
    assert asked == [("timm/test_vit.r160_in1k", "model.safetensors")]
    path = saved(tmp_path / "model.safetensors")
    monkeypatch.setattr(backbone_weights, "hf_hub_download", lambda *_, **__: path)
    from_hub = load_backbone(BackboneSettings("test_vit"), "cpu")
    assert from_hub.fingerprint == load_backbone(BackboneSettings("test_vit", path)).fingerprint


def test_no_network_and_no_weights_are_one_line_each() -> None:
    with pytest.raises(RunError, match=r"no way to the hub.*local \.safetensors file"):
        load_backbone(BackboneSettings("test_vit"))
    with pytest.raises(RunError, match="none on the hub that timm knows"):
        load_backbone(BackboneSettings("test_maxvit"))


# --- memory


def test_features_do_not_depend_on_parts_beyond_1e_5(vit: Backbone) -> None:
    wanted = vit.features(views(7))
    for most in (1, 2, 3, 6):
        found = vit.features(views(7), MemorySettings(most=most))
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    assert vit.features(views(0)).shape == (0, vit.width)


def test_the_peak_of_a_forward_is_that_of_the_tensors_alive_at_once() -> None:
    # input and two outputs are alive during the last ReLU; the conv's weights are not counted
    module = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.Conv2d(3, 1, 8))
    cost = memory.forward_cost(module, (3, 8, 8))
    assert cost.per_image == 3 * 4 * 3 * 64
    assert cost.fixed == 0


def test_batches_shrink_with_memory(vit: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for free in (vit.cost.peak(1), 2 * vit.cost.peak(10), 2**40):
        monkeypatch.setattr(memory, "available_bytes", lambda _, free=free: free)
        sizes.append(memory.batch_that_fits(vit.cost, CPU, MemorySettings(most=50)))
    assert sizes == [1, 10, 50]
    monkeypatch.setattr(memory, "available_bytes", lambda _: vit.cost.peak(1) - 1)
    with pytest.raises(RunError, match="smaller backbone or side"):
        vit.features(views(1))


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("x: can't allocate memory: y")],
)
def test_parts_are_halved_when_memory_is_out(error: RuntimeError) -> None:
    tried: list[int] = []

    def forward(part: torch.Tensor) -> torch.Tensor:
        tried.append(len(part))
        if len(part) > 3:
            raise error
        return 2 * part

    images = torch.arange(11.0)[:, None]
    assert torch.equal(memory.in_parts(forward, images, 10), 2 * images)
    assert tried == [10, 5, 2, 2, 2, 2, 2, 1]


def test_an_image_too_large_and_another_error_are_not_tried_again() -> None:
    def full(_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    def broken(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes")

    with pytest.raises(RunError, match="out of memory"):
        memory.in_parts(full, torch.zeros(4, 1), 4)
    with pytest.raises(RuntimeError, match="shapes"):
        memory.in_parts(broken, torch.zeros(4, 1), 4)


@pytest.mark.parametrize(
    ("line", "folder", "names"),
    [
        ("0::/user/job", "user", ("memory.max", "memory.current")),
        (
            "4:memory:/user/job",
            "memory/user",
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ),
    ],
)
def test_limits_of_control_groups_count(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    folder: str,
    names: tuple[str, str],
) -> None:
    membership = tmp_path / "membership"
    membership.write_text(f"7:cpuset:/\n{line}\n")
    job = tmp_path / folder / "job"
    job.mkdir(parents=True)
    for group, limit in ((job, "max"), (job.parent, str(50 * 2**20))):
        (group / names[0]).write_text(f"{limit}\n")
        (group / names[1]).write_text(f"{40 * 2**20}\n")
        (group / "memory.stat").write_text(f"anon 1\ninactive_file {2**20}\n")
    monkeypatch.setattr("data.machine.cgroups.ROOT", tmp_path)
    monkeypatch.setattr("data.machine.cgroups.OWN", membership)
    assert memory.available_bytes(CPU) == 11 * 2**20


def test_weights_that_do_not_fit_are_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.backbone.batch_size.available_bytes", lambda _: 2**30)
    with pytest.raises(RunError, match=r"found 1024 MiB of free memory; expected 3206 MiB"):
        load_backbone(BackboneSettings("vit_huge_plus_patch16_dinov3", RANDOM))


@pytest.mark.slow
def test_the_largest_runs() -> None:
    backbone = load_backbone(BackboneSettings("vit_huge_plus_patch16_dinov3", RANDOM, side=64))
    found = backbone.features(views(2, 64)).cpu()
    assert found.shape == (2, 1280)
    assert np.isfinite(found.numpy()).all()
