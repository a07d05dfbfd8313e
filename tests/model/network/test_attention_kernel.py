from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from model.network.attention_kernel import attention_kernel, attention_kernels
from model.network.settings import ModelSettings, Precision
from model.network.street_model import StreetModel
from tests.gpu.attention_kernels import kernels_that_ran

CPU = torch.device("cpu")
MASK = torch.ones(1, 1, 12, 12, dtype=torch.bool)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kv_heads", [8, 2])
@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("backend", [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION])
def test_the_named_kernel_is_the_one_that_runs(
    kind: torch.dtype, kv_heads: int, mask: torch.Tensor | None, backend: SDPBackend
) -> None:
    query = torch.randn(2, 8, 12, 64, dtype=kind)
    key = torch.randn(2, kv_heads, 12, 64, dtype=kind)
    with sdpa_kernel(backend):
        named = attention_kernel(query, key, key, mask)
        ran = kernels_that_ran(
            lambda: scaled_dot_product_attention(
                query, key, key, attn_mask=mask, enable_gqa=kv_heads < 8
            )
        )
    assert ran == Counter([named])
    assert named == ("math" if backend == SDPBackend.MATH else "flash")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_kernels_of_a_model_are_those_that_run_in_it(precision: Precision) -> None:
    settings = ModelSettings(features=24, keep_views=12, precision=precision)
    model, x = StreetModel(settings).eval(), torch.randn(2, 12, 24)
    with torch.no_grad():
        ran = kernels_that_ran(lambda: model(x))
    named = attention_kernels(settings, CPU)
    assert ran == Counter({named.all_seen: settings.layers + 1}) + Counter([named.masked])
    assert named.device == "cpu"


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_only_cross_attention_has_a_mask_where_all_views_are_seen(
    precision: Precision, training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queries, keys and values are such as flash takes: of one type, each head's row contiguous."""
    settings = ModelSettings(features=24, keep_views=12, drop_view=0, precision=precision)
    masks = []

    def noting(*tensors: torch.Tensor, **options: object) -> torch.Tensor:
        # on a processor, where this runs, attention is in float32 in any precision
        assert {tensor.dtype for tensor in tensors} == {torch.float32}
        assert {tensor.stride(-1) for tensor in tensors} == {1}
        assert [tensor.shape[1] for tensor in tensors] == [8, 2, 2]
        masks.append(options.get("attn_mask"))
        return scaled_dot_product_attention(*tensors, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("model.network.gated_attention.F.scaled_dot_product_attention", noting)
    StreetModel(settings).train(training)(torch.randn(2, 12, 24))
    assert [mask is None for mask in masks] == [True] * 4 + [False, True]
    masks.clear()
    StreetModel(replace(settings, keep_views=8)).eval()(torch.randn(2, 12, 24))
    assert [mask is None for mask in masks] == [True] * 4 + [False, True]
