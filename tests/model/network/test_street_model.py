from dataclasses import fields, replace
from functools import partial

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from data.errors import RunError
from model.metadata.tensors import metadata_tensors
from model.network.describe import describe
from model.network.settings import ModelSettings, Precision
from model.network.street_model import ModelOutput, StreetModel
from model.network.view_scorer import scorer_loss
from tests.worlds.metadata_rows import FULL_ROW, letter_vectors

SMALL = ModelSettings(features=24, width=32, heads=4, kv_heads=2, layers=3, keep_views=7, seed=3)
UNPRUNED = replace(SMALL, keep_views=12)
WITHOUT_DROPOUT = replace(SMALL, drop_path=0.0, drop_view=0.0, drop_metadata=0.0, drop_field=0.0)


def features(batch: int = 5, views: int = 12, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, views, SMALL.features, generator=generator)


def a_model(settings: ModelSettings = SMALL) -> StreetModel:
    model = StreetModel(settings).eval()
    # as drawn, positions hardly matter; after training they do
    with torch.no_grad():
        model.positions.mul_(50)
    return model


def assert_same(first: ModelOutput, second: ModelOutput, atol: float = 1e-5) -> None:
    for field in fields(ModelOutput):
        if field.name != "seen":
            a, b = getattr(first, field.name), getattr(second, field.name)
            named = partial("{}: {}".format, field.name)
            torch.testing.assert_close(a, b, atol=atol, rtol=1e-4, msg=named)


@torch.no_grad()
def test_shapes_and_ranges() -> None:
    output = a_model()(
        features(), metadata_tensors([FULL_ROW, {}, FULL_ROW, {}, {}], letter_vectors)
    )
    assert output.logits.shape == (5, 2)
    assert output.view_logits.shape == (5, 12, 2)
    assert output.scores.shape == (5, 11)
    assert output.weather_logits.shape == (5, 24)
    assert output.gates.shape == (5, 12)
    assert output.gates.dtype == torch.float32
    assert ((output.gates >= 0) & (output.gates <= 1)).all()
    assert ((output.gates > 0).sum(dim=1) == SMALL.keep_views).all()
    assert (output.gates[:, 0] > 0).all()
    assert output.seen.all()


@torch.no_grad()
@pytest.mark.parametrize("settings", [SMALL, UNPRUNED])
def test_permuting_views_with_their_positions_permutes_the_gates(settings: ModelSettings) -> None:
    model, x = a_model(settings), features()
    # the global view stays in its place: it is known by its number
    order = torch.cat((torch.tensor([0]), 1 + torch.randperm(11)))
    before = model(x)
    model.positions.copy_(model.positions[order].clone())
    after = model(x[:, order])
    torch.testing.assert_close(after.gates, before.gates[:, order])
    torch.testing.assert_close(after.view_logits, before.view_logits[:, order])
    torch.testing.assert_close(after.logits, before.logits)
    assert not torch.allclose(model(x).logits, before.logits, atol=1e-3)


@torch.no_grad()
def test_views_may_come_in_any_order_if_they_say_which_they_are() -> None:
    model, x = a_model(), features()
    order = torch.stack([torch.randperm(12) for _ in range(5)])
    moved = x.gather(1, order[..., None].expand_as(x))
    assert_same(model(moved, views=order), model(x))


@torch.no_grad()
@pytest.mark.parametrize("settings", [SMALL, UNPRUNED])
def test_masking_a_view_is_removing_it(settings: ModelSettings) -> None:
    model, x = a_model(settings), features(1)
    kept = torch.tensor([[0, 2, 3, 5, 6, 7, 9, 10, 11]])
    mask = torch.zeros(1, 12, dtype=torch.bool).scatter(1, kept, True)
    x[~mask] = torch.nan
    masked = model(x, mask=mask)
    removed = model(x[:, kept[0]], views=kept)
    assert_same(masked, removed)
    assert torch.equal(masked.seen, removed.seen)
    assert (masked.gates[~mask] == 0).all()
    assert (masked.view_logits[~mask] == 0).all()


def test_all_masked_is_one_prior_answer_and_nothing_breaks() -> None:
    model, x = a_model().train(), features()
    nothing = torch.zeros(5, 12, dtype=torch.bool)
    output = model(x, mask=nothing)
    assert (output.gates == 0).all()
    torch.testing.assert_close(output.logits, output.logits[:1].expand(5, -1))
    torch.autograd.backward(output.logits.sum())
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@torch.no_grad()
def test_training_answers_as_inference_does_when_nothing_is_dropped() -> None:
    model, x = a_model(WITHOUT_DROPOUT), features()
    metadata = metadata_tensors([FULL_ROW, {}] * 2 + [FULL_ROW], letter_vectors)
    assert_same(model(x, metadata), model.train()(x, metadata))


def test_the_loss_reaches_every_part() -> None:
    model = a_model().train()
    output = model(features(), metadata_tensors([FULL_ROW, {}] * 2 + [FULL_ROW], letter_vectors))
    loss = F.cross_entropy(output.logits, torch.tensor([0, 1, 0, 1, 1]))
    loss = loss + output.view_logits.square().mean() + output.weather_logits.square().mean()
    torch.autograd.backward(loss + scorer_loss(output.scores, output.gates, output.seen))
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert model.pruning is not None
    assert model.pruning.score.weight.grad is not None
    assert model.pruning.score.weight.grad.abs().sum() > 0


@torch.no_grad()
def test_metadata_moves_the_answer_but_no_gate_and_no_auxiliary_one() -> None:
    model, x = a_model(), features()
    image_only, with_metadata = model(x), model(x, metadata_tensors([FULL_ROW] * 5, letter_vectors))
    assert not torch.allclose(image_only.logits, with_metadata.logits)
    for name in ("gates", "view_logits", "weather_logits", "scores"):
        assert torch.equal(getattr(image_only, name), getattr(with_metadata, name))
    assert torch.equal(
        model(x, metadata_tensors([{}] * 5, letter_vectors)).logits, image_only.logits
    )


def test_the_seed_draws_the_weights_and_nothing_else() -> None:
    state = torch.get_rng_state()
    first, second = StreetModel(SMALL), StreetModel(SMALL)
    assert torch.equal(torch.get_rng_state(), state)
    other = StreetModel(replace(SMALL, seed=4))
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )
    assert not torch.equal(first.positions, other.positions)


def test_dropout_before_the_last_layer_is_of_training_alone() -> None:
    """Without other dropout the rest is the same; a share of 0.5 doubles what is left."""
    model, x = a_model(replace(WITHOUT_DROPOUT, dropout=0.5)), features(64)
    plain = a_model(WITHOUT_DROPOUT)
    model.load_state_dict(plain.state_dict())
    with torch.no_grad():
        assert_same(model(x), plain(x))
        torch.manual_seed(0)
        draws = torch.stack([model.train()(x).logits for _ in range(200)])
        other = model(x)
    assert draws.std(dim=0).min() > 0.01
    torch.testing.assert_close(draws.mean(dim=0), plain(x).logits, atol=0.1, rtol=0)
    assert torch.equal(other.gates, plain.train()(x).gates)


@pytest.mark.parametrize("drop_view", [0.0, 0.5])
def test_views_are_hidden_only_where_some_are_to_be(drop_view: float) -> None:
    """Without a mask attention takes its fastest kernel."""
    model = a_model(replace(UNPRUNED, drop_view=drop_view)).train()
    masks = []
    attention = model.layers[0].get_submodule("attention")
    attention.register_forward_hook(lambda _, inputs, __: masks.append(inputs[1]))
    output = model(features())
    assert [mask is None for mask in masks] == [drop_view == 0]
    assert bool(output.seen.all()) == (drop_view == 0)


@torch.no_grad()
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_is_captured_whole_by_the_compiler(precision: Precision) -> None:
    model, x = a_model(replace(UNPRUNED, precision=precision)), features()
    captured = torch.compile(model, fullgraph=True, backend="aot_eager")
    assert_same(captured(x), model(x))


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.filterwarnings("default")
def test_compiled_agrees() -> None:
    """Needs a C++ compiler, g++ or clang++."""
    model, x = a_model(), features()
    assert_same(torch.compile(model, fullgraph=True)(x), model(x))


def test_it_learns_what_one_small_view_shows() -> None:
    """A sign in one of twelve views, at random: the mean of the views hardly shows it."""
    torch.manual_seed(0)
    model = StreetModel(replace(SMALL, drop_path=0.0, drop_view=0.0)).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    sign = torch.randn(SMALL.features)

    def draw(batch: int) -> tuple[torch.Tensor, torch.Tensor]:
        x, label = torch.randn(batch, 12, SMALL.features), torch.randint(0, 2, (batch,))
        x[torch.arange(batch), torch.randint(0, 12, (batch,))] += 2 * sign * label[:, None]
        return x, label

    for _ in range(150):
        x, label = draw(64)
        output = model(x)
        view_loss = F.cross_entropy(output.view_logits.flatten(0, 1), label.repeat_interleave(12))
        optimiser.zero_grad()
        torch.autograd.backward(F.cross_entropy(output.logits, label) + 0.2 * view_loss)
        optimiser.step()
    x, label = draw(512)
    with torch.no_grad():
        right = model.eval()(x).logits.argmax(dim=1) == label
    assert right.float().mean() > 0.9


@pytest.mark.parametrize("settings", [SMALL, UNPRUNED, ModelSettings()])
def test_the_described_parts_are_the_whole_model(settings: ModelSettings) -> None:
    with torch.device("meta"):
        whole = sum(parameter.numel() for parameter in StreetModel(settings).parameters())
    parts = describe(settings)
    assert sum(part.parameters for part in parts) == whole
    assert any("pruning" in part.name for part in parts) == (settings.keep_views < 12)


@pytest.mark.parametrize("shape", [(2, 12, 25), (2, 11, 24), (12, 24)])
def test_features_of_another_backbone_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RunError, match=r"expected \(B, 12, 24\)"):
        a_model()(torch.zeros(shape))
