from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import LogError
from data.wandb_service.address import ServiceAddress, is_name, log_place


@pytest.mark.parametrize("end", ["", "/"])
def test_a_project_and_a_run(end: str) -> None:
    assert log_place(f"wandb://natix/street vision{end}") == ServiceAddress(
        "natix", "street vision"
    )
    address = log_place(f"wandb://natix/sn72.v2/ab12-CD_34{end}")
    assert address == ServiceAddress("natix", "sn72.v2", "ab12-CD_34")
    assert str(address) == "wandb://natix/sn72.v2/ab12-CD_34"


@pytest.mark.parametrize("path", ["x.jsonl", "wandb", "wandb/run-1", "./wandb:x", "/a/b", "~/x"])
def test_anything_else_is_a_path(path: str) -> None:
    assert log_place(path) == Path(path)


@pytest.mark.parametrize(
    "rest",
    ["", "a", "a/", "a//b", "a/b/c/d", "../b", "a/..", "a/.b", "a/b\\c", "a/b\n", "a/ü", "a/b "],
)
def test_what_is_no_address_is_refused(rest: str) -> None:
    with pytest.raises(LogError, match="no such address"):
        log_place(f"wandb://{rest}")


@given(st.text(max_size=200))
def test_a_name_is_one_folder(name: str) -> None:
    if is_name(name):
        assert Path(name).parts == (name,)
        assert not name.startswith(".")
        assert len(name) <= 128
