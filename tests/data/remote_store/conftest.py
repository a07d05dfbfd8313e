"""A server in memory, and two machines that share a store on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.data.remote_store.machines import Machine, memory_server


@pytest.fixture
def memory() -> Iterator[Any]:
    with memory_server() as files:
        yield files


@pytest.fixture
def here(memory: Any, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "here")


@pytest.fixture
def there(memory: Any, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "there")
