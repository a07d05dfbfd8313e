"""Views on the device, by matrix products, against the compiled loops of the CPU."""

import torch

from model.network.settings import Precision
from model.views.views import ViewExtractor, ViewSettings
from tests.gpu.check import Target, check, lowered_precision, worst_of
from tests.gpu.drawn_images import draw_image

_SIZES = ((224, 224), (300, 200), (224, 224), (61, 640), (1, 1))
_VIEWS = ViewSettings(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_QUICK = ViewSettings(32, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@check("views of 5 images of 4 sizes, normalised values", fp32=1e-4)
def views(target: Target, _: Precision) -> float:
    """Autocast and TF32 around it change nothing: views are float32."""
    images = [draw_image(*size, seed, roadwork=True) for seed, size in enumerate(_SIZES)]
    extractor = ViewExtractor(_QUICK if target.quick else _VIEWS)
    with lowered_precision(target):
        found = extractor.of_images_on(images, target.device)
    return worst_of([(found, extractor.of_images(images))])


@check("views of a batch by matrices, normalised values", fp32=1e-4)
def views_of_a_batch(target: Target, _: Precision) -> float:
    """Equal sizes, already on the device."""
    images = [draw_image(300, 200, seed, roadwork=False) for seed in range(target.images)]
    extractor = ViewExtractor(_QUICK if target.quick else _VIEWS)
    stacked = torch.stack([torch.from_numpy(image) for image in images]).permute(0, 3, 1, 2)
    with lowered_precision(target):
        found = extractor.by_matrices(stacked.to(target.device))
    return worst_of([(found, extractor.of_images(images))])


CHECKS = (views, views_of_a_batch)
