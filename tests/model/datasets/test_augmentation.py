import pytest
import torch
from torchvision.transforms import v2

from model.datasets.augmentation import ImageAugmentation, Mixup


def image(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 256, (3, 224, 224), dtype=torch.uint8, generator=generator)


def test_a_seed_scene_and_draw_change_all_images_alike() -> None:
    augmentation = ImageAugmentation(randaugment=True, cutout=16, seed=3)
    state = torch.get_rng_state()
    first = augmentation(image(), "scene", 1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.randn(5)
    assert torch.equal(augmentation(image(), "scene", 1), first)
    others = [
        augmentation(image(), "scene", 2),
        augmentation(image(), "another", 1),
        ImageAugmentation(randaugment=True, cutout=16, seed=4)(image(), "scene", 1),
    ]
    assert sum(not torch.equal(other, first) for other in others) >= 2


def test_randaugment_is_torchvisions() -> None:
    augmentation = ImageAugmentation(randaugment=True, cutout=0, seed=0)
    made = {augmentation(image(), "scene", draw).float().mean().item() for draw in range(20)}
    assert len(made) > 10
    assert all(augmentation(image(), "s", d).dtype == torch.uint8 for d in range(20))


def test_cutout_erases_a_square_of_half_the_images() -> None:
    augmentation = ImageAugmentation(randaugment=False, cutout=16, seed=0)
    squares = 0
    for draw in range(200):
        erased = (augmentation(image(), "scene", draw) == 0).all(dim=0)
        if erased.any():
            rows, columns = erased.any(dim=1).nonzero(), erased.any(dim=0).nonzero()
            assert len(rows) == len(columns) == 16
            assert erased.sum() == 256
            squares += 1
    assert 70 < squares < 130


def test_mixup_mixes_images_and_all_shares_by_one_share() -> None:
    images = torch.stack([image(seed) for seed in range(6)])
    labels = torch.arange(6) % 2
    weather = torch.eye(5)[torch.arange(6) % 5]
    weather[0] = 0
    with torch.random.fork_rng():
        torch.manual_seed(0)
        one_hot = torch.nn.functional.one_hot(labels, 2).float()
        mixed, mixed_labels, mixed_weather = Mixup(0.2)(images, one_hot, weather)
        torch.manual_seed(0)
        oracle_images, oracle_labels = v2.MixUp(alpha=0.2, num_classes=2)(images.float(), labels)
    assert torch.allclose(mixed_labels, oracle_labels)
    assert torch.equal(mixed, oracle_images.round().to(torch.uint8))
    share = mixed_labels[0, 0]
    assert 0 < share < 1
    assert torch.allclose(mixed_weather, share * weather + (1 - share) * weather.roll(1, 0))
    # of a challenge whose weather is not known only the other's part counts
    assert mixed_weather[0].sum().item() == pytest.approx(1 - share.item())


def test_one_challenge_is_mixed_with_nothing() -> None:
    alone, labels = image()[None], torch.tensor([[0.0, 1.0]])
    assert all(map(torch.equal, Mixup(0.2)(alone, labels), (alone, labels)))
