import pytest
import typer

from data.cluster.options import check_cluster_options
from tests.worlds.commands_in_forks import completed


def test_options_of_a_cluster_are_for_a_cluster() -> None:
    check_cluster_options("local", worker_cpus=None, worker_gpus=None)
    check_cluster_options("ray", worker_cpus=2, worker_gpus=0)
    with pytest.raises(typer.BadParameter, match="found --on local; expected --on ray"):
        check_cluster_options("local", worker_cpus=None, worker_gpus=0)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["replay", "--model=orange", "--worker-cpus=1"], "--worker-cpus"),
        (["replay", "--model=orange", "--worker-gpus=0", "--on=local"], "--worker-gpus"),
        (["ingest", "log.jsonl", "--worker-cpus=1"], "--worker-cpus"),
    ],
)
def test_commands_refuse_them_without_one_as_wrong_use(words: list[str], option: str) -> None:
    done = completed(words)
    assert done.returncode == 2
    assert f"Invalid value for {option}: is for workers of a cluster" in done.stderr
