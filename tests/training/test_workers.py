import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from musenet.training.workers import Workers, start_workers

PROGRAM = """
    import torch
    from torch import nn
    from musenet.training.workers import start_workers

    workers = start_workers()
    assert workers.count == 2
    assert workers.agree([workers.rank + 7.0]) == [7.0]
    assert workers.total(torch.tensor([workers.rank + 1])).tolist() == [3]
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    for parameter in model[0].parameters():
        parameter.grad = torch.full_like(parameter, workers.rank + 1.0)
    workers.sum_gradients(model)
    for parameter in model[0].parameters():
        assert (parameter.grad == 3.0).all()
    for parameter in model[1].parameters():
        assert (parameter.grad == 0.0).all()
    for count in (1, 2, 5):
        stack = torch.arange(count * 6.0).view(count, 2, 3).bfloat16()
        mine = []
        whole = workers.shared(lambda part: mine.append(len(part)) or part.square() + 1, stack)
        assert torch.equal(whole, stack.square() + 1) and whole.dtype == stack.dtype
        assert mine == [-(-count // 2)]
    print(f"agreed{workers.rank}\\n", end="", flush=True)
    workers.leave()
    assert not torch.distributed.is_initialized()
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_alone_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    workers = start_workers()
    assert workers == Workers(0, 1)
    assert workers.agree([1.0, 2.0]) == [1.0, 2.0]
    assert workers.total(torch.tensor([3])).tolist() == [3]
    assert workers.shared(torch.neg, torch.tensor([3])).tolist() == [-3]
    model = nn.Linear(2, 1)
    workers.sum_gradients(model)
    assert model.weight.grad is None
    workers.leave()


def test_two_processes_agree_and_add_up(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
        "--master-addr", "127.0.0.1", "--master-port", str(free_port()), str(program),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split()) == ["agreed0", "agreed1"]
