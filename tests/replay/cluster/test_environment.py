import pytest

from data.errors import RunError
from replay.cluster.environment import check_environment, environment


def test_the_same_code_and_versions_are_accepted() -> None:
    check_environment("here", dict(environment()), environment())
    assert environment()["streetreplay's code"].isalnum()


@pytest.mark.parametrize("name", sorted(environment()))
def test_each_other_version_is_refused_by_name(name: str) -> None:
    with pytest.raises(RunError, match=rf"worker on node-3: found {name} 0\.0; expected .*as here"):
        check_environment("node-3", environment() | {name: "0.0"}, environment())


def test_a_worker_that_does_not_say_is_refused() -> None:
    with pytest.raises(RunError, match="found python None"):
        check_environment("node-3", {}, environment())
