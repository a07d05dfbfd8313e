from functools import partial

import numpy as np
import pytest
import torch
from timm.layers.attention import AttentionRope
from torch import nn
from transformers.models.qwen3_next.configuration_qwen3_next import Qwen3NextConfig
from transformers.models.qwen3_next.modeling_qwen3_next import Qwen3NextAttention

from model.network.gated_attention import GatedAttention, GatedLayer, attend
from model.network.settings import GateKind

WIDTH, HEADS, KV_HEADS = 32, 4, 2
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def an_attention(gate: GateKind, seed: int = 0) -> GatedAttention:
    torch.manual_seed(seed)
    attention = GatedAttention(WIDTH, HEADS, KV_HEADS, gate)
    for norm in (attention.query_norm, attention.key_norm):
        torch.nn.init.normal_(norm.weight, mean=1.0, std=0.3)
    return attention


def _rms(x: Floats, weight: Floats) -> Floats:
    return np.asarray(x / np.sqrt((x**2).mean() + 1e-6) * weight)


def formula(
    attention: GatedAttention, x: Floats, allowed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> Floats:
    """Of one challenge, (V, width): every head and view by itself, in float64."""
    weights = [
        part.detach().double().numpy()
        for part in torch.split(attention.projection.weight, list(attention.parts))
    ]
    query_norm = attention.query_norm.weight.detach().double().numpy()
    key_norm = attention.key_norm.weight.detach().double().numpy()
    query, key, value, gate = (x @ weight.T for weight in weights)
    size, views = attention.head_width, len(x)
    gated = np.zeros((views, HEADS * size))
    for head in range(HEADS):
        mine = slice(head * size, (head + 1) * size)
        shared = head // (HEADS // KV_HEADS)
        theirs = slice(shared * size, (shared + 1) * size)
        for view in range(views):
            normed = _rms(query[view, mine], query_norm)
            scores = [
                normed @ _rms(key[other, theirs], key_norm) / np.sqrt(size)
                for other in range(views)
                if allowed[view, other]
            ]
            shares = np.exp(scores) / np.exp(scores).sum()
            attended = shares @ value[allowed[view], theirs]
            opening = gate[view, mine] if gate.shape[1] > HEADS else gate[view, head]
            gated[view, mine] = attended / (1 + np.exp(-opening))
    return np.asarray(gated @ attention.output.weight.detach().double().numpy().T)


@pytest.mark.parametrize("gate", ["elementwise", "headwise"])
@pytest.mark.parametrize("views", [1, 5, 12])
def test_it_is_the_plain_formula_in_float64(gate: GateKind, views: int) -> None:
    attention = an_attention(gate, seed=views)
    x = torch.randn(3, views, WIDTH)
    mask = torch.rand(3, views) < 0.6
    mask[:, 0] = True
    with torch.no_grad():
        free, masked = attention(x), attention(x, mask[:, None])
    for row in range(3):
        plain = x[row].double().numpy()
        everything = np.ones((views, views), bool)
        allowed = np.broadcast_to(mask[row].numpy(), (views, views))
        np.testing.assert_allclose(free[row], formula(attention, plain, everything), atol=2e-6)
        np.testing.assert_allclose(masked[row], formula(attention, plain, allowed), atol=2e-6)


def test_it_is_qwens_own_attention_with_the_same_weights() -> None:
    torch.manual_seed(0)
    config = Qwen3NextConfig(
        hidden_size=WIDTH,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        head_dim=WIDTH // HEADS,
        attention_bias=False,
        num_hidden_layers=1,
    )
    config._attn_implementation = "eager"
    theirs = Qwen3NextAttention(config, layer_idx=0).eval()
    torch.nn.init.normal_(theirs.q_norm.weight, std=0.3)
    torch.nn.init.normal_(theirs.k_norm.weight, std=0.3)
    ours = GatedAttention(WIDTH, HEADS, KV_HEADS, "elementwise")
    # their query projection holds, head by head, the query and then the gate
    query, gate = theirs.q_proj.weight.view(HEADS, 2, -1, WIDTH).unbind(dim=1)
    parts = (query.flatten(0, 1), theirs.k_proj.weight, theirs.v_proj.weight, gate.flatten(0, 1))
    x = torch.randn(2, 12, WIDTH)
    still = (torch.ones(2, 12, WIDTH // HEADS), torch.zeros(2, 12, WIDTH // HEADS))
    with torch.no_grad():
        ours.projection.weight.copy_(torch.cat(parts))
        ours.output.weight.copy_(theirs.o_proj.weight)
        ours.query_norm.weight.copy_(1 + theirs.q_norm.weight)
        ours.key_norm.weight.copy_(1 + theirs.k_norm.weight)
        expected, _ = theirs(x, still, attention_mask=torch.zeros(2, 1, 12, 12))
        torch.testing.assert_close(ours(x), expected, atol=1e-6, rtol=1e-5)


def test_it_is_timms_own_attention_with_the_same_weights() -> None:
    ours = an_attention("elementwise")
    theirs = AttentionRope(
        WIDTH,
        HEADS,
        num_kv_heads=KV_HEADS,
        qkv_bias=False,
        qkv_fused=False,
        proj_bias=False,
        num_prefix_tokens=0,
        qk_norm=True,
        norm_layer=partial(nn.RMSNorm, eps=1e-6),  # type: ignore[arg-type]
        gated=True,
    )
    query, key, value, gate = torch.split(ours.projection.weight, list(ours.parts))
    theirs.load_state_dict(
        {
            "q_proj.weight": query,
            "k_proj.weight": key,
            "v_proj.weight": value,
            "gate.weight": gate,
            "q_norm.weight": ours.query_norm.weight,
            "k_norm.weight": ours.key_norm.weight,
            "proj.weight": ours.output.weight,
        }
    )
    x = torch.randn(3, 12, WIDTH)
    mask = torch.rand(3, 1, 12) < 0.6
    mask[..., 0] = True
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), atol=1e-6, rtol=1e-5)
        masked = theirs(x, attn_mask=mask[:, None])
        torch.testing.assert_close(ours(x, mask), masked, atol=1e-6, rtol=1e-5)


def test_a_view_that_may_attend_to_nothing_gets_nothing_and_learns_nothing() -> None:
    attention = an_attention("elementwise")
    x = torch.randn(2, 4, WIDTH, requires_grad=True)
    allowed = torch.tensor([[True, False, True, True], [False] * 4])[:, None]
    attended = attention(x, allowed)
    attended.square().sum().backward()
    assert torch.equal(attended[1], torch.zeros(4, WIDTH))
    assert attended[0].abs().min() > 0
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert torch.equal(x.grad[1], torch.zeros(4, WIDTH))


@pytest.mark.parametrize("gate", ["elementwise", "headwise"])
def test_masking_a_view_of_a_layer_is_removing_it(gate: GateKind) -> None:
    torch.manual_seed(1)
    layer = GatedLayer(WIDTH, HEADS, KV_HEADS, gate, drop_path=0.0)
    x = torch.randn(1, 6, WIDTH)
    mask = torch.tensor([[True, False, True, True, False, True]])
    with torch.no_grad():
        torch.testing.assert_close(layer(x, mask[:, None])[mask], layer(x[mask][None])[0])


def test_drop_path_skips_whole_challenges_in_training_only() -> None:
    torch.manual_seed(2)
    layer = GatedLayer(WIDTH, HEADS, KV_HEADS, "headwise", drop_path=0.5)
    x = torch.randn(64, 3, WIDTH)
    with torch.no_grad():
        same = [torch.equal(after, before) for after, before in zip(layer(x), x, strict=True)]
        assert 4 <= sum(same) <= 30  # both branches dropped: a quarter of 64
        layer.eval()
        assert torch.equal(layer(x), layer(x))
        assert not any(torch.equal(a, b) for a, b in zip(layer(x), x, strict=True))


def test_attention_in_bf16_is_that_of_float32_on_a_processor() -> None:
    """Of the same rounded queries, keys and values, both ways; the backward is faster so."""
    torch.manual_seed(0)
    shapes = ((2, 4, 12, 8), (2, 2, 12, 8), (2, 2, 12, 8))
    rounded = [torch.randn(shape).bfloat16().requires_grad_() for shape in shapes]
    exact = [tensor.detach().float().requires_grad_() for tensor in rounded]
    with torch.autocast("cpu", torch.bfloat16):
        query, key, value = rounded
        attended = attend(query, key, value, None)
    query, key, value = exact
    expected = nn.functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
    assert attended.dtype == torch.bfloat16
    assert torch.equal(attended, expected.bfloat16())
    torch.autograd.backward(attended.float().sum())
    torch.autograd.backward(expected.sum())
    for one, other in zip(rounded, exact, strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.equal(one.grad, other.grad.bfloat16())
