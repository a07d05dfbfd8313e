"""A store lies only where a file that is sent is whole or not there."""

import pytest

from data.errors import StoreError
from data.remote_store.place import store_place


@pytest.mark.parametrize(
    "protocol", ["sftp", "ssh", "ftp", "smb", "webdav", "http", "https", "hf", "hdfs", "foo"]
)
def test_a_protocol_that_may_leave_half_a_file_is_refused(protocol: str) -> None:
    with pytest.raises(StoreError) as error:
        store_place(f"{protocol}://me:SECRET@host/folder")
    assert str(error.value) == (
        f"store {protocol}://: found protocol {protocol}; expected a folder, or a URL of s3://, "
        "gs:// or az://, where a file is sent whole or not at all"
    )


@pytest.mark.parametrize("protocol", ["s3", "s3a"])
def test_s3_is_taken(protocol: str) -> None:
    place = store_place(f"{protocol}://bucket/folder/")
    assert place.is_s3
    assert (place.url, place.path) == (f"{protocol}://bucket/folder", "bucket/folder")
