"""The command line: parse, call, print.

Each module holds the commands of one group. Heavy libraries are imported inside the commands,
so that help comes at once and `musenet train` needs no more than torch, numpy, safetensors,
rich and typer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from musenet import __version__
from musenet.cli import (
    arrange,
    compose,
    corpus,
    critic,
    evaluate,
    evaluate_music,
    finetune,
    ids,
    judge,
    listing,
    originality,
    pack,
    render,
    studio,
    surprise,
    train,
)
from musenet.errors import UserError

EXIT_ERROR = 2
"""Exit code of what the user or the system has to mend."""
EXIT_INTERRUPTED = 130

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer has it from click or from a copy of click within, by its version."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
corpus_app = typer.Typer(help="Turn folders of MIDI into a corpus to train on.")
evaluate_app = typer.Typer(help="Measure models and music.")
critic_app = typer.Typer(help="Train and measure what candidates are ranked by.")
judge_app = typer.Typer(help="Train and measure the judge of styles.")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"musenet {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def musenet(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Compose original multi-instrument music with a Transformer trained on MIDI."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("compose")(compose.compose)
app.command("arrange")(arrange.arrange)
app.command("render")(render.render)
app.command("studio")(studio.studio)
app.command("styles")(listing.styles)
app.command("instruments")(listing.instruments)
app.command("info")(listing.info)
app.command("originality")(originality.originality)
app.command("ids")(ids.ids)
app.add_typer(corpus_app, name="corpus")
app.command("train")(train.train)
app.command("finetune")(finetune.finetune)
app.command("pack")(pack.pack)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(critic_app, name="critic")
app.add_typer(judge_app, name="judge")


@corpus_app.callback()
def _corpus() -> None:
    """Turn folders of MIDI into a corpus to train on."""


@evaluate_app.callback()
def _evaluate() -> None:
    """Measure models and music."""


@critic_app.callback()
def _critic() -> None:
    """Train and measure what candidates are ranked by."""


@judge_app.callback()
def _judge() -> None:
    """Train and measure the judge of styles."""


corpus_app.command("build")(corpus.build)
corpus_app.command("index")(originality.index)
evaluate_app.command("likelihood")(evaluate.likelihood)
evaluate_app.command("music")(evaluate_music.music)
evaluate_app.command("styles")(judge.styles)
evaluate_app.command("surprise")(surprise.surprise)
critic_app.command("train")(critic.train)
critic_app.command("evaluate")(critic.evaluate)
critic_app.command("limits")(critic.limits)
judge_app.command("train")(judge.train)
judge_app.command("evaluate")(judge.evaluate)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process; its exit code.

    What the user can mend, and what the system refuses, is one line on stderr and no traceback.
    """
    try:
        return app(arguments, prog_name="musenet", standalone_mode=False) or 0
    except UserError as error:
        return _fail(str(error))
    except _UsageError as error:
        return _fail(_usage(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}")
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED


def _usage(error: Exception) -> str:
    """The message of a usage error, and where its command is explained."""
    message: str = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    message = " ".join(message.split()).removesuffix(".")
    return f"{message}; see '{context.command_path} --help'" if context else message


def _fail(message: str) -> int:
    sys.stderr.write(f"musenet: {' '.join(message.split())}\n")
    return EXIT_ERROR
