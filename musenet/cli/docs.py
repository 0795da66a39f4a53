"""The reference of the command line, made from its own help.

`python -m musenet.cli.docs > docs/cli.md` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import typer.main

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


def _sections(command: Any, name: str) -> Iterator[str]:
    """The section of a command, or of each one in a group; click's types vary with typer's."""
    members = getattr(command, "commands", None)
    if members is None:
        yield from _section(command, name)
        return
    for member in members.values():
        yield from _sections(member, f"{name} {member.name}")


def _section(command: Any, name: str) -> Iterator[str]:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    usage = " ".join([name, *(str(argument.metavar) for argument in arguments), "[OPTIONS]"])
    yield f"## {name}\n\n{cleandoc(command.help)}\n\n    {usage}\n"
    yield "| | |\n|---|---|"
    for argument in arguments:
        yield _row(str(argument.metavar), argument.help)
    for option in options:
        yield _row(_option(option), f"{option.help}{_default(option)}")
    yield ""


def _option(option: Any) -> str:
    flags = ", ".join([*option.opts, *option.secondary_opts])
    return flags if option.is_flag or not option.metavar else f"{flags} {option.metavar}"


def _default(option: Any) -> str:
    if option.required:
        return " Required."
    if isinstance(option.show_default, str):
        return f" Default: {option.show_default}."
    plain = isinstance(option.default, str | int | float) and not isinstance(option.default, bool)
    return f" Default: {option.default}." if plain and option.default != "" else ""


def _row(name: str, text: str) -> str:
    escaped = name.replace("|", "\\|")
    return f"| `{escaped}` | {text} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
