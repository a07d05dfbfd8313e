from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import golden_records
from tests.data.wandb_service.stub_service import StubService, account, serving


@pytest.fixture
def e7(golden: Path) -> list[dict[str, Any]]:
    return golden_records(golden, "e7")


@pytest.fixture(scope="session", autouse=True)
def _client_ends() -> Iterator[None]:
    """The client leaves its helper process running until it is told to stop."""
    yield
    import wandb  # noqa: PLC0415

    wandb.teardown()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubService]:
    """The service on loopback, with an account on it."""
    with serving(StubService()) as stub:
        for name, value in account(stub, tmp_path).items():
            monkeypatch.setenv(name, value)
        yield stub
        assert stub.unknown == []
