"""What a server says of a file tells it from what replaces it."""

from typing import Any

import pytest

from data.remote_store.listing import content_md5, etag, list_place
from data.remote_store.place import store_place
from tests.data.remote_store.machines import STORED, URL


@pytest.mark.parametrize("key", ["LastModified", "last_modified", "mtime", "created"])
def test_two_writes_within_a_second_differ_by_their_sizes(
    memory: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    sizes = iter((3, 4, 4))

    def find(_: Any, path: str, **__: Any) -> dict[str, Any]:
        if not path.endswith("/runs"):
            return {}
        return {f"{STORED}/runs/a": {"size": next(sizes), "type": "file", key: 1764288000}}

    monkeypatch.setattr(type(memory), "find", find)
    first, second, third = (list_place(store_place(URL)).token("runs/a") for _ in range(3))
    assert first != second == third


def test_what_says_the_content_says_no_more(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    md5 = "d41d8cd98f00b204e9800998ecf8427e"
    described = {"size": 3, "type": "file", "ETag": f'"{md5}"', "LastModified": "now"}

    def find(_: Any, path: str, **__: Any) -> dict[str, Any]:
        return {f"{STORED}/runs/a": described} if path.endswith("/runs") else {}

    monkeypatch.setattr(type(memory), "find", find)
    file = list_place(store_place(URL)).files["runs/a"]
    assert (content_md5(file), etag(file), file.token) == (md5, md5, f"ETag {md5}")
