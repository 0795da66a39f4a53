from __future__ import annotations

import errno
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import musenet
from musenet.cli import main
from musenet.errors import UserError

if TYPE_CHECKING:
    from conftest import Run

HEAVY = ("torch", "matplotlib", "mido", "soundfile", "symusic", "midirenderer", "safetensors")
COMMANDS = (
    "compose", "render", "styles", "instruments", "info", "train", "pack", "corpus build",
    "evaluate likelihood",
)  # fmt: skip


def raising(error: BaseException) -> object:
    def build(*args: object, **named: object) -> None:
        raise error

    return build


def test_version(run: Run) -> None:
    result = run("--version")
    assert (result.code, result.out) == (0, f"musenet {musenet.__version__}\n")


def test_without_a_command_it_helps(run: Run) -> None:
    result = run()
    assert result.code == 0
    assert "compose" in result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.code == 0
    assert f"Usage: musenet {command}" in result.out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from musenet.cli import main; assert main(['--help']) == 0; "
        f"print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "musenet", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("musenet ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"], ["corpus"], ["compose", "--nonsense"], ["compose", "--minutes", "soon"],
        ["train", "--minutes", "-1", "--out", "x"], ["train"], ["render", "missing.mid"],
        ["compose", "--audio", "tape"], ["compose", "--candidates", "0"],
        ["compose", "--from", "missing.mid"],
    ],
)  # fmt: skip
def test_usage_errors_are_one_line(run: Run, arguments: list[str]) -> None:
    run(*arguments).assert_fails("--help'")


def test_the_text_of_an_error_is_kept_as_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    error = UserError("no [bold]file[/bold] :smile:\nin [/work]")
    monkeypatch.setattr("musenet.cli.app", raising(error))
    result = run("styles")
    result.assert_fails()
    assert result.err == "musenet: no [bold]file[/bold] :smile: in [/work]\n"


def test_errors_of_the_system_are_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "log.jsonl")
    monkeypatch.setattr("musenet.cli.app", raising(error))
    run("styles").assert_fails("log.jsonl: No space left on device")


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musenet.composing.composer.load", raising(KeyboardInterrupt()))
    assert main(["compose"]) == 130
