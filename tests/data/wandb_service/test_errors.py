"""What is wrong with a service or an account is said in one line, and hurts nothing."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import wandb

from data.errors import LogError, RunError
from data.file_lock import locked
from data.wandb_service import client
from data.wandb_service.address import ServiceAddress
from data.wandb_service.download import download_runs
from tests.data.wandb_service.stub_service import StubHandler, StubRun, StubService

PROJECT = ServiceAddress("natix", "streetvision")
KEY = ("natix", "streetvision")


def refused(status: int, message: str) -> Any:
    def answer(handler: StubHandler, _what: str) -> bool:
        body = json.dumps({"errors": [{"message": message}]}).encode()
        handler.reply(body, status)
        return True

    return answer


def test_an_error_is_one_line_that_says_what_to_do(service: StubService, tmp_path: Path) -> None:
    service.projects[KEY] = [StubRun("ab12cd34")]
    found = {
        ServiceAddress("natix", "unknown"): "nothing of that name",
        ServiceAddress(*KEY, "unknown"): "nothing of that name",
    }
    for address, words in found.items():
        with pytest.raises(LogError, match=words) as caught:
            download_runs(address, tmp_path)
        assert str(caught.value).startswith(str(address))
        assert "\n" not in str(caught.value)
    for status in (401, 403):
        service.before = refused(status, "denied\x1b[31m\nEvil")
        with pytest.raises(LogError, match="API key refused") as caught:
            download_runs(PROJECT, tmp_path)
        assert str(caught.value).isprintable()


def test_without_an_api_key_it_says_how_to_get_one(
    service: StubService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    wandb.teardown()  # it read the environment when it was first used
    with pytest.raises(LogError, match=r"no API key.*wandb login"):
        download_runs(PROJECT, tmp_path)


def test_a_service_that_does_not_answer_is_given_up(
    service: StubService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_TIMEOUT", 2)
    released = threading.Event()
    service.before = lambda _handler, _what: bool(released.wait(10))
    with pytest.raises(LogError, match="no answer of the service"):
        download_runs(PROJECT, tmp_path)
    released.set()


def test_one_download_at_a_time(service: StubService, tmp_path: Path) -> None:
    service.projects[KEY] = []
    with (
        locked(tmp_path / ".lock", "another", found="it"),
        pytest.raises(RunError, match="another process at it"),
    ):
        download_runs(PROJECT, tmp_path)
