"""What tests of the warehouse share."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import golden_records


@pytest.fixture
def e7(golden: Path) -> list[dict[str, Any]]:
    """The golden records of era E7."""
    return golden_records(golden, "e7")
