from dataclasses import replace

import pytest
from accelerate import Accelerator
from accelerate.utils import DistributedType

from data.errors import RunError
from model.optimization.accelerator import make_accelerator
from tests.model.optimization.toy import QUICK, cpu_accelerator


def test_weights_parted_among_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Accelerator, "distributed_type", DistributedType.FSDP)
    with pytest.raises(RunError, match=r"found distributed type FSDP; .*--multi_gpu"):
        cpu_accelerator(QUICK)


def test_compiling_without_a_compiler_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("no-such-compiler",))
    compiled = replace(QUICK, training=replace(QUICK.training, compile=True))
    with pytest.raises(RunError, match=r"--compile: found no C\+\+ compiler; expected g\+\+"):
        make_accelerator(compiled, cpu=True)
