import numpy as np
import torch

from model.network.fusion import GatedFusion

WIDTH = 32


def a_fusion(seed: int = 0) -> GatedFusion:
    torch.manual_seed(seed)
    return GatedFusion(WIDTH, heads=4, kv_heads=2, gate="headwise").eval()


def test_the_fused_vector_is_the_mean_of_the_mixed_views_weighted_by_their_gates() -> None:
    fusion = a_fusion().double()
    x = torch.randn(2, 5, WIDTH, dtype=torch.float64)
    with torch.no_grad():
        fused, gates = fusion(x)
        others = ~torch.eye(5, dtype=torch.bool)[None]
        crossed = x + fusion.cross(fusion.cross_norm(x), others)
        mixed = (crossed + fusion.self_attention(fusion.self_norm(crossed))).numpy()
    z = fusion.gate_norm(x) @ fusion.gate.weight.T + fusion.gate.bias
    expected = 1 / (1 + np.exp(-z.detach().numpy()[..., 0]))
    np.testing.assert_allclose(gates, expected, rtol=1e-6)
    for row in range(2):
        np.testing.assert_allclose(
            fused[row], np.average(mixed[row], axis=0, weights=expected[row]), atol=1e-6
        )


def test_cross_attention_looks_at_the_others_only() -> None:
    fusion = a_fusion()
    x = torch.randn(1, 1, WIDTH)
    normed = fusion.cross_norm(x)
    assert torch.equal(fusion.cross(normed, torch.zeros(1, 1, 1, dtype=torch.bool)), 0 * x)
    alone, _ = fusion(x)
    expected = x + fusion.self_attention(fusion.self_norm(x))
    torch.testing.assert_close(alone, expected[:, 0])


def test_masking_a_view_is_removing_it_and_its_gate_is_exactly_zero() -> None:
    fusion = a_fusion(1)
    x = torch.randn(1, 6, WIDTH)
    mask = torch.tensor([[True, True, False, True, False, False]])
    with torch.no_grad():
        fused, gates = fusion(x, mask)
        alone, own_gates = fusion(x[:, mask[0]])
    torch.testing.assert_close(fused, alone)
    torch.testing.assert_close(gates[mask], own_gates[0])
    assert torch.equal(gates[~mask], torch.zeros(3))


def test_what_a_masked_view_holds_changes_no_bit() -> None:
    fusion = a_fusion(2)
    x = torch.randn(2, 4, WIDTH)
    mask = torch.tensor([[True, False, True, True]] * 2)
    changed = x.clone()
    changed[:, 1] = 1e3
    with torch.no_grad():
        assert torch.equal(fusion(x, mask)[0], fusion(changed, mask)[0])


def test_all_masked_or_all_closed_is_a_vector_of_zeros() -> None:
    fusion = a_fusion(3)
    x = torch.randn(2, 4, WIDTH, requires_grad=True)
    fused, gates = fusion(x, torch.zeros(2, 4, dtype=torch.bool))
    fused.sum().backward()
    assert torch.equal(fused, torch.zeros(2, WIDTH))
    assert torch.equal(gates, torch.zeros(2, 4))
    assert x.grad is not None
    assert x.grad.isfinite().all()
    with torch.no_grad():
        fusion.gate.bias.fill_(-200.0)
        assert torch.equal(fusion(x)[0], torch.zeros(2, WIDTH))


def test_permuting_views_permutes_gates_and_keeps_the_vector() -> None:
    fusion = a_fusion(4)
    x = torch.randn(3, 7, WIDTH)
    order = torch.randperm(7)
    with torch.no_grad():
        fused, gates = fusion(x)
        again, moved = fusion(x[:, order])
    torch.testing.assert_close(moved, gates[:, order])
    torch.testing.assert_close(again, fused)
