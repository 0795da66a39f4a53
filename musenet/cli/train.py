"""`musenet train`, which needs no more than torch, numpy, safetensors, rich and typer."""

from __future__ import annotations

import json as json_text
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musenet.cli.monitor import monitoring
from musenet.cli.options import Device, Json, On, check_place, positive, torch_device
from musenet.cli.output import print_json, say
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.presets import ModelConfig
    from musenet.training.loop import Run
    from musenet.training.settings import TrainingConfig
    from musenet.training.workers import Workers

DEFAULT_PRESET = "small"
_FREE = {"data", "steps", "minutes", "threads", "save_minutes", "loaders", "compile"}
"""Settings that may differ when a run is resumed: it learns the same from the same steps."""


class Optimiser(StrEnum):
    """Optimisers that are offered."""

    MUON = "muon"
    ADAMW = "adamw"


def train(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="RUN", help="Folder of the run: weights, state, "
                           "log, and TensorBoard's where tensorboard is installed.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A corpus that 'musenet corpus build' made."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="tiny|mini|small|base|musenet", show_default=DEFAULT_PRESET,
                     help="Size of the network."),
    ] = None,
    layers: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, show_default="those of the preset, or of --weights",
                     help="Layers of the network; with --weights it may grow."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", exists=True, show_default="random weights",
                     help="Start from a model (a file or a run's folder), in its size."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", callback=positive, help="Minutes to train for."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="Or steps to train for.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out; its settings hold, "
                           "but --minutes, --steps and --data may be given anew.")
    ] = False,
    context: Annotated[
        int | None,
        typer.Option(metavar="EVENTS", min=16, show_default="1024, less if the preset is smaller",
                     help="Events that the network sees at once."),
    ] = None,
    lengthen: Annotated[
        bool | None,
        typer.Option("--lengthen/--no-lengthen", show_default="lengthen",
                     help="Begin with a quarter of the context: cheaper, and learns faster."),
    ] = None,
    batch_events: Annotated[
        int | None,
        typer.Option(metavar="EVENTS", min=1, show_default="4096, on a GPU 131072",
                     help="Events a step."),
    ] = None,
    micro_events: Annotated[
        int | None,
        typer.Option(metavar="EVENTS", min=16, show_default="on a GPU 32768",
                     help="Events a pass through the network, in windows of a few lengths; "
                     "fewer take less memory."),
    ] = None,
    compile: Annotated[
        bool | None,
        typer.Option("--compile/--no-compile", show_default="on a GPU",
                     help="Compile the network: a few minutes before the training, then faster."),
    ] = None,
    loaders: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=0, show_default="0, on a GPU up to 8",
                     help="Processes that draw music ahead of time."),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", callback=positive, show_default="0.003",
                     help="At its peak."),
    ] = None,
    optimiser: Annotated[
        Optimiser | None,
        typer.Option(metavar="muon|adamw", show_default="muon where bf16 is fast",
                     help="Muon with AdamW, or AdamW alone."),
    ] = None,
    cool_down: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0.001, max=1.0, show_default="0.4",
                     help="Share of the training, at its end, in which the learning rate falls."),
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0.0, max=1.0, show_default="0.0",
                     help="Average the weights over about this share of the training."),
    ] = None,
    mixup: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0.0, max=1.0, show_default="0.0",
                     help="Share of the batches that are mixed in embedding space."),
    ] = None,
    augmentation: Annotated[
        bool, typer.Option("--augmentation/--no-augmentation",
                           help="Vary key, tempo, loudness and the length told.")
    ] = True,
    seed: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=0, max=2**63 - 1, show_default="0",
                     help="Of weights and of the order of the data."),
    ] = None,
    save_minutes: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", callback=positive, show_default="5.0",
                     help="Minutes between checkpoints."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, show_default="what torch takes",
                     help="Threads of the CPU."),
    ] = None,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """Train a model on a corpus. Ctrl-C finishes the step and saves; --resume goes on.

    Several processes train together under torchrun: torchrun --nproc-per-node 2 -m musenet train …
    """
    given = {
        "data": None if data is None else str(data), "minutes": minutes, "steps": steps,
        "context": context, "batch_events": batch_events, "learning_rate": learning_rate,
        "optimiser": None if optimiser is None else optimiser.value, "mixup": mixup,
        "seed": seed, "save_minutes": save_minutes, "lengthen": lengthen,
        "weights": None if weights is None else str(weights), "compile": compile,
        "micro_events": micro_events, "loaders": loaders, "cool_down": cool_down,
        "average": average, "threads": threads,
    }  # fmt: skip
    settings = _network(preset, augmentation)
    settings |= {name: value for name, value in given.items() if value is not None}
    place = torch_device(device)
    from musenet.training.loop import Run
    from musenet.training.workers import start_workers

    workers = start_workers()
    settings = settings if resume else _usual(place, workers) | settings
    config = (_resumed if resume else _begun)(out, settings, layers)
    run = Run(config, out, device=place, workers=workers)
    if resume:
        run.resume()
    if workers.rank:
        with stopping() as stop:
            run.fit(lambda facts: None, stop.wanted)
        workers.leave()
        return
    with stopping() as stop, monitoring(out) as monitor:
        finished = run.fit(monitor, stop.wanted)
    workers.leave()
    _report(run, monitor.last, finished, as_json=json)
    if not finished:
        say(f"musenet: stopped; go on with: musenet train --resume --out {out}", stderr=True)
        raise typer.Exit(128 + stop.number)


class Stop:
    """Asks a run to end after its step; told twice, it interrupts at once."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.number = 0

    def wanted(self) -> bool:
        """Whether the process was told to stop."""
        return self.number > 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self.number = number
        signal.signal(number, signal.default_int_handler)


@contextmanager
def stopping() -> Iterator[Stop]:
    """What says whether Ctrl-C or SIGTERM came in the block."""
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop.receive) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _network(preset: str | None, augmentation: bool) -> dict[str, Any]:
    from musenet.presets import PRESETS
    from musenet.training.augment import Augmentation

    settings: dict[str, Any] = {}
    if preset is not None:
        if preset not in PRESETS:
            raise UserError(f"unknown preset '{preset}': one of {', '.join(PRESETS)}")
        settings["model"] = PRESETS[preset]()
    if not augmentation:
        settings["augmentation"] = replace(
            Augmentation(), transpose=0.0, velocity=0, tempo=0, length_jitter=0.0
        )
    return settings


def _sized(model: ModelConfig, layers: int | None) -> ModelConfig:
    return model if layers is None else replace(model, layers=layers)


def _usual(place: str, workers: Workers) -> dict[str, Any]:
    """Settings of a new run that suit where it is."""
    import torch

    threads = {"threads": torch.get_num_threads()}
    if place == "cpu":
        return threads
    share = (os.cpu_count() or 1) // workers.count
    return threads | {
        "batch_events": 131_072, "micro_events": 32_768, "compile": True,
        "loaders": max(1, min(8, share - 2)),
    }  # fmt: skip


def _begun(out: Path, settings: dict[str, Any], layers: int | None) -> TrainingConfig:
    """The settings of a new run.

    Raises:
        UserError: the folder is taken, or something is missing or does not fit.
    """
    from musenet.presets import PRESETS
    from musenet.training.settings import TrainingConfig, longest_window

    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not _never_saved(out):
        begun = (out / "state.safetensors").is_file()
        advice = "go on with --resume, or give" if begun else "it holds no run to resume; give"
        raise UserError(f"{out} exists: {advice} another folder")
    check_place(out)
    if "data" not in settings:
        raise UserError("give --data, a corpus that 'musenet corpus build' made")
    model = settings.get("model") or _started_from(settings) or PRESETS[DEFAULT_PRESET]()
    model = _sized(model, layers)
    room = longest_window(model)
    settings = {"context": min(TrainingConfig.context, room), **settings, "model": model}
    if settings.get("compile"):
        events = settings.get("batch_events", TrainingConfig.batch_events)
        settings.setdefault("micro_events", events)
    config = TrainingConfig(**settings)
    if config.context > room:
        raise UserError(f"--context {config.context}: the preset holds at most {room} events")
    return config


def _never_saved(out: Path) -> bool:
    """Whether a folder is of a run that ended before it had saved anything."""
    saved = ("state.safetensors", "model.safetensors")
    return (out / "config.json").is_file() and not any((out / name).exists() for name in saved)


def _started_from(settings: Mapping[str, Any]) -> ModelConfig | None:
    """The dimensions of the weights to start from."""
    from musenet.checkpoint import load_model

    return load_model(Path(settings["weights"]))[0].config if "weights" in settings else None


def _resumed(out: Path, settings: dict[str, Any], layers: int | None) -> TrainingConfig:
    """The settings of the run in a folder, and what may be given anew.

    Raises:
        UserError: there is no run to resume, or it was begun with other settings.
    """
    if not (out / "state.safetensors").is_file():
        raise UserError(f"{out} holds no run to resume: begin one without --resume")
    config = read_config(out)
    if layers is not None:
        settings = {**settings, "model": _sized(settings.get("model", config.model), layers)}
    changed = [
        name for name, value in settings.items()
        if name not in _FREE and getattr(config, name) != value
    ]  # fmt: skip
    if changed:
        raise UserError(f"{out} was begun with another {', '.join(changed)}: leave that out, "
                        "or begin a new run")  # fmt: skip
    budget = {"steps": None, "minutes": None} if {"steps", "minutes"} & set(settings) else {}
    return replace(config, **{**budget, **settings})


def read_config(folder: Path) -> TrainingConfig:
    """The settings in the folder of a run.

    Raises:
        UserError: they are missing or damaged.
    """
    from musenet.presets import ModelConfig
    from musenet.training.augment import Augmentation
    from musenet.training.settings import TrainingConfig

    path = folder / "config.json"
    try:
        data = json_text.loads(path.read_text(encoding="utf-8"))
        parts = {"model": ModelConfig(**data["model"]),
                 "augmentation": Augmentation(**data["augmentation"])}  # fmt: skip
        return TrainingConfig(**{**data, **parts})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is missing or damaged: begin a new run") from error


def _report(run: Run, last: Mapping[str, Any], finished: bool, *, as_json: bool) -> None:
    from musenet.training.throughput import FORMULA, told

    facts = run.facts()
    bits = last.get("valid_bits_per_note")
    if as_json:
        print_json({"run": str(run.out), "finished": finished, **facts, **last})
        return
    say(f"{run.out}: {facts['step']:,} steps, {facts['minutes']:.1f} minutes, "
        f"{bits:.3f} bits a note on the validation pieces")  # fmt: skip
    say(f"{told(facts)}, at {FORMULA} FLOPs an event")
    if finished:
        say(f"compose with it: musenet compose --model {run.out}")
