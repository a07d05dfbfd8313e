import pytest

from data.cluster.environment import check_environment, environment
from data.errors import RunError

HERE = environment(("analytics", "data"), ("numpy", "pyarrow"))


def test_the_same_code_and_versions_are_accepted() -> None:
    check_environment("here", dict(HERE), HERE)
    assert HERE["streetreplay's code"].isalnum()
    assert set(HERE) == {"python", "streetreplay", "streetreplay's code", "numpy", "pyarrow"}


def test_code_is_that_of_the_packages_that_are_named() -> None:
    other = environment(("data",), ("numpy", "pyarrow"))
    assert {name for name in HERE if HERE[name] != other[name]} == {"streetreplay's code"}


def test_a_package_that_is_not_there_is_so_on_both_sides() -> None:
    here = environment(("data",), ("unheard-of",))
    assert here["unheard-of"] == "not installed"
    with pytest.raises(RunError, match=r"found unheard-of 1\.0; expected not installed, as here"):
        check_environment("node-3", here | {"unheard-of": "1.0"}, here)


@pytest.mark.parametrize("name", sorted(HERE))
def test_each_other_version_is_refused_by_name(name: str) -> None:
    with pytest.raises(RunError, match=rf"worker on node-3: found {name} 0\.0; expected .*as here"):
        check_environment("node-3", HERE | {name: "0.0"}, HERE)


def test_a_worker_that_does_not_say_is_refused() -> None:
    with pytest.raises(RunError, match="found python None"):
        check_environment("node-3", {}, HERE)
