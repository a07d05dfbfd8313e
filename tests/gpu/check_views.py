"""Views on the device, by matrix products, against the compiled loops of the CPU."""

import torch

from model.views.views import ViewExtractor, ViewSettings
from tests.gpu.check import Precision, Target, check, worst_of
from tests.gpu.drawn_images import draw_image

_SIZES = ((224, 224), (300, 200), (224, 224), (61, 640), (1, 1))
_VIEWS = ViewSettings(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_QUICK = ViewSettings(32, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@check("views of 5 images of 4 sizes, normalised values", float32=1e-4, bfloat16=1e-4)
def views(target: Target, precision: Precision) -> float:
    """A step in bfloat16 makes the same views: they stay float32."""
    images = [draw_image(*size, seed, roadwork=True) for seed, size in enumerate(_SIZES)]
    extractor = ViewExtractor(_QUICK if target.quick else _VIEWS)
    with target.autocast(precision):
        found = extractor.of_images_on(images, target.device)
    return worst_of([(found, extractor.of_images(images))])


@check("views of a batch by matrices, normalised values", float32=1e-4, bfloat16=1e-4)
def views_of_a_batch(target: Target, precision: Precision) -> float:
    """Equal sizes, already on the device."""
    images = [draw_image(300, 200, seed, roadwork=False) for seed in range(target.images)]
    extractor = ViewExtractor(_QUICK if target.quick else _VIEWS)
    stacked = torch.stack([torch.from_numpy(image) for image in images]).permute(0, 3, 1, 2)
    with target.autocast(precision):
        found = extractor.by_matrices(stacked.to(target.device))
    return worst_of([(found, extractor.of_images(images))])


CHECKS = (views, views_of_a_batch)
