"""The reference of the command line, made from its own help.

`python -m musenet.cli.docs > docs/cli.md` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from musenet.cli import app

_HEAD = """# The command line

`musenet COMMAND --help` shows the same as this page, which is made from it by
`python -m musenet.cli.docs > docs/cli.md`. `python -m musenet` is the same command.

- Results go to stdout, progress and errors to stderr.
- With `--json` a command prints exactly one JSON object on stdout.
- Exit code 0: done. 2: something is to be mended; one line on stderr says what. 130: stopped by
  Ctrl-C.
- Files are written whole or not at all.
"""


def reference() -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *_sections(typer.main.get_command(app), "musenet")]) + "\n"


def _sections(command: object, name: str) -> Iterator[str]:
    """The section of a command, or of each one in a group."""
    if isinstance(command, TyperGroup):
        for member_name, member in command.commands.items():
            yield from _sections(member, f"{name} {member_name}")
    elif isinstance(command, TyperCommand):
        yield from _section(command, name)


def _section(command: TyperCommand, name: str) -> Iterator[str]:
    arguments = [param for param in command.params if isinstance(param, TyperArgument)]
    options = [param for param in command.params if isinstance(param, TyperOption)]
    usage = " ".join([name, *(str(argument.metavar) for argument in arguments), "[OPTIONS]"])
    yield f"## {name}\n\n{cleandoc(command.help or '')}\n\n    {usage}\n"
    yield "| | |\n|---|---|"
    for argument in arguments:
        yield _row(str(argument.metavar), str(argument.help))
    for option in options:
        yield _row(_flags(option), f"{option.help}{_default(option)}")
    yield ""


def _flags(option: TyperOption) -> str:
    flags = ", ".join([*option.opts, *option.secondary_opts])
    return flags if option.is_flag or not option.metavar else f"{flags} {option.metavar}"


def _default(option: TyperOption) -> str:
    if option.required:
        return " Required."
    if isinstance(option.show_default, str):
        return f" Default: {option.show_default}."
    default = option.default
    if isinstance(default, bool) or not isinstance(default, str | int | float | Path):
        return ""
    return f" Default: {default}." if default != "" else ""


def _row(name: str, text: str) -> str:
    escaped = name.replace("|", "\\|")
    return f"| `{escaped}` | {text} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
