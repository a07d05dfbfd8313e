import pytest
import torch
from scipy.special import expit, logit

from model.backbone.adapters import is_adapted
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, AdapterKind, BackboneSettings
from model.export.network import ExportedNetwork, merge_adapters
from model.views.views import ViewExtractor
from tests.model.backbone.random_backbones import KINDS, adapter_settings, perturbed, random_views
from tests.model.checkpoint.checkpoint_on_vit import BACKBONE, a_model, images

# Of features of size 1; a merged product rounds once instead of twice.
MERGED_BOUND = 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_merged_adapters_give_the_same_features(kind: AdapterKind) -> None:
    backbone = perturbed(adapter_settings(kind))
    views = random_views(3, 64)
    with torch.no_grad():
        with_adapters = backbone(views)
        merge_adapters(backbone.model)
        merged = backbone(views)
        plain = load_backbone(BackboneSettings("test_vit", RANDOM, 64), "cpu").eval()(views)

    assert not any(is_adapted(module) for module in backbone.model.modules())
    assert not any("lora" in name for name in backbone.model.state_dict())
    scale = with_adapters.abs().max()
    assert float((merged - with_adapters).abs().max() / scale) < MERGED_BOUND
    assert float((plain - with_adapters).abs().max() / scale) > 1000 * MERGED_BOUND


def test_a_model_without_adapters_stays_as_it_is() -> None:
    backbone = load_backbone(BackboneSettings(BACKBONE, RANDOM), "cpu")
    before = list(backbone.model.state_dict())
    merge_adapters(backbone.model)
    assert list(backbone.model.state_dict()) == before


@pytest.mark.parametrize("shift", [0.0, -1.25, 3.0])
def test_a_shift_moves_the_logit_and_no_gate(shift: float) -> None:
    backbone = load_backbone(BackboneSettings(BACKBONE, RANDOM, seed=3), "cpu")
    [image] = images(1)
    with torch.no_grad():
        views = ViewExtractor(backbone.views).of_images([image])[0]
        direct = a_model()(backbone(views)[None])
        network = ExportedNetwork(backbone, a_model(), shift)
        probability, gates = network(torch.from_numpy(image.copy()))

    plain = direct.logits[0].double().softmax(0)[1].item()
    assert probability.dtype == torch.float64
    assert probability.shape == ()
    assert probability.item() == pytest.approx(expit(logit(plain) + shift), abs=1e-4)
    torch.testing.assert_close(gates, direct.gates[0], rtol=0, atol=1e-4)
