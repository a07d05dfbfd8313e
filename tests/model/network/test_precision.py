from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from model.metadata.tensors import metadata_tensors
from model.network.precision import computing_in
from model.network.settings import ModelSettings, Precision
from model.network.street_model import ModelOutput, StreetModel
from tests.worlds.metadata_rows import FULL_ROW, letter_vectors

SETTINGS = ModelSettings(features=64, width=64, heads=4, layers=2, prune_after=1, keep_views=12)
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
METADATA = metadata_tensors([FULL_ROW, {}] * 8, letter_vectors)


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """As a program around the model may have set its process; `medium` is bfloat16 on AMX."""
    torch.set_float32_matmul_precision(precision)
    try:
        yield
        assert torch.get_float32_matmul_precision() == precision
    finally:
        torch.set_float32_matmul_precision("highest")


AROUND: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "nothing": nullcontext,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "no autocast": lambda: torch.autocast("cpu", enabled=False),
    "medium products": lambda: products_in("medium"),
    "high products": lambda: products_in("high"),
}


def a_model(precision: Precision, **changed: float) -> StreetModel:
    return StreetModel(replace(SETTINGS, precision=precision, **changed)).eval()  # type: ignore[arg-type]


def features() -> torch.Tensor:
    return torch.randn(16, 12, 64, generator=torch.Generator().manual_seed(0))


def answer(model: StreetModel, around: AbstractContextManager[object]) -> ModelOutput:
    with torch.no_grad(), around:
        output: ModelOutput = model(features(), METADATA)
    return output


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("around", [name for name in AROUND if name != "nothing"])
def test_what_is_around_the_call_changes_no_bit(precision: Precision, around: str) -> None:
    model = a_model(precision)
    alone, surrounded = answer(model, nullcontext()), answer(model, AROUND[around]())
    for field in fields(ModelOutput):
        assert torch.equal(getattr(alone, field.name), getattr(surrounded, field.name)), field.name


@pytest.mark.parametrize("around", AROUND)
def test_products_are_in_the_precision_and_nothing_else_is(around: str) -> None:
    """Against products of the same numbers in float64, and of the same rounded to bfloat16."""
    linear = nn.Linear(64, 32)
    x = features().flatten(0, 1)
    with torch.no_grad():
        expected = (x.double() @ linear.weight.double().T + linear.bias.double()).float()
        with AROUND[around](), computing_in("fp32", "cpu"):
            exact = linear(x)
        with AROUND[around](), computing_in("bf16", "cpu"):
            rounded = linear(x)
    torch.testing.assert_close(exact, expected, atol=2e-6, rtol=1e-5)
    assert rounded.dtype == torch.bfloat16
    assert 1e-4 < (rounded.float() - expected).abs().max() < 3e-2


@pytest.mark.parametrize("precision", PRECISIONS)
def test_hidden_layers_take_the_precision_and_heads_do_not(precision: Precision) -> None:
    model = a_model(precision, keep_views=8)
    kinds: dict[str, torch.dtype] = {}

    def note(name: str, module: nn.Module) -> None:
        def noting(_: nn.Module, __: object, output: torch.Tensor) -> None:
            kinds[name] = output.dtype

        module.register_forward_hook(noting)

    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            note(name, module)
    answer(model, nullcontext())
    exact = ("head.", "view_head.", "weather_head.", "scorer.", "fusion.gate", "pruning.", "meta")
    hidden = torch.float32 if precision == "fp32" else torch.bfloat16
    assert len(kinds) == sum(isinstance(module, nn.Linear) for module in model.modules())
    for name, kind in kinds.items():
        assert kind == (torch.float32 if name.startswith(exact) else hidden), name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_answers_have_their_full_resolution(precision: Precision) -> None:
    """As many different numbers as there are; bfloat16 has 256 between 1 and 2, and 0.5 and 1."""
    output = answer(a_model(precision), nullcontext())
    for name in ("logits", "gates", "view_logits", "weather_logits", "scores"):
        values = getattr(output, name)
        assert values.dtype == torch.float32, name
        assert (values.bfloat16().float() != values).float().mean() > 0.9, name


def test_bf16_is_another_answer_near_that_of_fp32() -> None:
    exact, rounded = (answer(a_model(precision), nullcontext()) for precision in PRECISIONS)
    assert exact.logits.std() > 0.1
    assert 1e-5 < (exact.logits - rounded.logits).abs().max() < 0.03
    assert 1e-5 < (exact.gates - rounded.gates).abs().max() < 0.02
    assert torch.equal(exact.scores, rounded.scores)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_training_and_evaluation_compute_alike(precision: Precision) -> None:
    model = a_model(precision, drop_path=0, drop_view=0, drop_metadata=0, drop_field=0)
    evaluated = answer(model, nullcontext())
    trained = model.train()(features(), METADATA)
    for field in fields(ModelOutput):
        assert torch.equal(getattr(evaluated, field.name), getattr(trained, field.name)), field.name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_gradients_are_float32_and_finite(precision: Precision) -> None:
    model = a_model(precision).train()
    output = model(features(), METADATA)
    torch.autograd.backward(output.logits.square().sum() + output.view_logits.square().sum())
    found = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert len(found) > 30
    assert all(grad.dtype == torch.float32 and bool(grad.isfinite().all()) for grad in found)
