"""All checks of `make gpu-check`; a new file of checks is added here."""

from tests.gpu import (
    check_backbone,
    check_model,
    check_predictor,
    check_training,
    check_transformers,
    check_views,
)

CHECKS = (
    *check_views.CHECKS,
    *check_backbone.CHECKS,
    *check_model.CHECKS,
    *check_predictor.CHECKS,
    *check_transformers.CHECKS,
    *check_training.CHECKS,
)
