import pytest
import torch

from model.network.pruning import GLOBAL_VIEW, KeptViews, TokenPruning

WIDTH = 16


def some_views(batch: int = 8, count: int = 6) -> KeptViews:
    torch.manual_seed(0)
    order = torch.stack([torch.randperm(count) for _ in range(batch)])
    return KeptViews(torch.randn(batch, count, WIDTH), order)


def a_pruning(keep: int) -> TokenPruning:
    torch.manual_seed(1)
    return TokenPruning(WIDTH, keep)


@pytest.mark.parametrize("keep", [1, 3, 5])
def test_the_best_views_go_on_and_the_global_one_always(keep: int) -> None:
    views, pruning = some_views(), a_pruning(keep).eval()
    kept = pruning(views)
    assert kept.tokens.shape == (8, keep, WIDTH)
    scores = pruning.score(pruning.norm(views.tokens))[..., 0].tolist()
    for row in range(8):
        names = views.views[row].tolist()
        others = [view for view in names if view != GLOBAL_VIEW]
        best = sorted(others, key=lambda view: -scores[row][names.index(view)])[: keep - 1]
        assert set(kept.views[row].tolist()) == {GLOBAL_VIEW, *best}
        positions = [names.index(view) for view in kept.views[row].tolist()]
        assert torch.equal(kept.tokens[row], views.tokens[row, positions])


def test_masked_views_go_last() -> None:
    views = some_views()
    mask = views.views < 3
    kept = a_pruning(3).eval()(KeptViews(views.tokens, views.views, mask))
    assert kept.mask is not None
    assert kept.mask.all()
    assert (kept.views < 3).all()
    few = a_pruning(4).eval()(KeptViews(views.tokens, views.views, mask))
    assert few.mask is not None
    assert (few.mask.sum(dim=1) == 3).all()


def test_fewer_views_than_are_kept_go_on_as_they_are() -> None:
    views = some_views()
    assert a_pruning(6)(views) is views


def test_training_marks_what_inference_drops_and_teaches_both() -> None:
    views, pruning = some_views(), a_pruning(3)
    marked = pruning(views)
    chosen = pruning.eval()(views).views
    assert marked.mask is not None
    assert marked.weight is not None
    assert torch.equal(marked.weight.detach(), marked.mask.float())
    for row in range(8):
        assert set(views.views[row][marked.mask[row]].tolist()) == set(chosen[row].tolist())
    (gradient,) = torch.autograd.grad(marked.weight.sum(), pruning.score.bias)
    dropped = (marked.weight * ~marked.mask).sum()
    assert gradient.abs().item() > 0
    assert dropped.item() == 0
    (of_dropped,) = torch.autograd.grad(
        (pruning.train()(views).weight * ~marked.mask).sum(), pruning.score.bias
    )
    assert of_dropped.item() > 0
