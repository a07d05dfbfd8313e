import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import torch
from model.datasets.loaders import training_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from tests.model.optimization.toy import toy_data

data, scenes = toy_data(8, 0), torch.arange(8)
batches = TrainingBatches(SceneSampler(scenes, 0), scenes, BatchSettings(2, kept_draws=2), 0)
left = iter(training_loader(data, batches, 1, torch.device("cpu")))
print(len(next(left)))
"""


def test_a_program_ends_though_its_loader_is_still_there() -> None:
    command = [sys.executable, "-c", PROGRAM]
    # a group of its own: what hangs is killed whole
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as program:
        try:
            output, _ = program.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise
    assert (program.returncode, output) == (0, "2\n")
