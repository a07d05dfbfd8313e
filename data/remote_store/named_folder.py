"""Folders that people name on the command line, which may be in a store on a server."""

from pathlib import Path

from data.errors import StoreError
from data.store import Store, store_url


def named_folder(store: Store, named: Path) -> Path:
    """A folder that a person names: one below the store's URL is in its working copy.

    Raises:
        StoreError: it is another URL, or one below which nothing is kept on the server.
    """
    url = store_url(named)
    if url is None:
        return named.expanduser()
    if store.url is None or not url.startswith(f"{store.url}/"):
        raise StoreError(
            url,
            found="a URL",
            expected="a folder of this machine, or one in the store that --store names",
        )
    # it imports what starts processes, which a folder needs nothing of
    from data.remote_store.kept_files import is_kept  # noqa: PLC0415

    name = url.removeprefix(f"{store.url}/")
    if not is_kept(f"{name}/file"):
        raise StoreError(
            url,
            found="a folder that is not kept on the server",
            expected=f"one below {store.url}/models, of names that do not begin with a dot",
        )
    return store.root / name
