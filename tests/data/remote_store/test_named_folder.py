"""A folder below the store's URL is one of its working copy, if its files go to the server."""

from pathlib import Path

import pytest

from data.errors import StoreError
from data.remote_store.named_folder import named_folder
from data.store import Store
from tests.data.remote_store.machines import URL, Machine


def test_what_lies_below_the_url_is_in_the_copy(here: Machine, tmp_path: Path) -> None:
    store = here.copy.store
    assert named_folder(store, Path(f"{URL}/models/first")) == store.root / "models" / "first"
    assert named_folder(store, tmp_path) == tmp_path
    assert named_folder(Store(tmp_path), Path("~")) == Path.home()
    for other in ("memory://bucket/storeroom/x", "s3://bucket/store/x"):
        with pytest.raises(StoreError, match="found a URL; expected a folder of this machine, or"):
            named_folder(store, Path(other))


@pytest.mark.parametrize("name", ["first", "checkpoints/first", "models/.first", "models/../first"])
def test_a_folder_that_is_never_sent_is_refused(here: Machine, name: str) -> None:
    with pytest.raises(StoreError) as error:
        named_folder(here.copy.store, Path(f"{URL}/{name}"))
    told = f"{URL}/{name}: found a folder that is not kept on the server; expected one below {URL}/"
    assert str(error.value).startswith(told)


@pytest.mark.parametrize("name", ["models/first.old", "models/first.lock", "models/v1.2.old"])
def test_what_is_made_in_a_folder_that_is_taken_is_sent(
    here: Machine, there: Machine, name: str
) -> None:
    here.fetch()
    folder = named_folder(here.copy.store, Path(f"{URL}/{name}"))
    here.write(f"{folder.relative_to(here.root)}/model.json", "x")
    here.send()
    there.fetch()
    assert there.read(f"{name}/model.json") == "x"
