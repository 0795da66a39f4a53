"""What a server is told when it starts."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from musenet.errors import UserError

LEAST_TOKEN = 16
"""Characters that a token has at least."""


@dataclass(frozen=True)
class Limits:
    """What a request may ask for; each has a clear answer when it is passed.

    Attributes:
        body_bytes: of a request.
        notes: of a piece that is uploaded or edited.
        minutes: of a piece, composed or uploaded.
        candidates: of a composition.
        queue: compositions that may wait.
        together: compositions that run at a time.
        deadline_seconds: that one composition may run.
        renderings: renderings that may wait.
        cache_bytes: of rendered files that are kept.
    """

    body_bytes: int = 8 * 2**20
    notes: int = 50_000
    minutes: float = 15.0
    candidates: int = 8
    queue: int = 64
    together: int = 4
    deadline_seconds: float = 1800.0
    renderings: int = 256
    cache_bytes: int = 2**30


@dataclass(frozen=True)
class Settings:
    """Where a server listens, what it uses and what it allows.

    Attributes:
        data: folder of the projects.
        host: address to listen on.
        token: what clients must show; None on loopback alone.
        names: further names that clients may call the server by.
        model: weights, or None for the bundled ones.
        device: of the network, as torch calls it.
        soundfont: an SF2 file, or None for the one that comes with the installation.
        limits: of requests.
    """

    data: Path
    host: str = "127.0.0.1"
    token: str | None = None
    names: tuple[str, ...] = ()
    model: Path | None = None
    device: str = "cpu"
    soundfont: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Check that nobody else can reach a server without a token.

        Raises:
            UserError: they could, or the token is easily guessed or fits in no header.
        """
        if self.token is None and not is_loopback(self.host):
            raise UserError(
                f"--host {self.host} can be reached from other machines: give a --token, or set "
                "MUSENET_TOKEN"
            )
        if self.token is not None and len(self.token) < LEAST_TOKEN:
            raise UserError(f"the token is short: give one of at least {LEAST_TOKEN} characters")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            raise UserError("the token has characters that no header can: give plain ASCII ones")

    @property
    def hosts(self) -> frozenset[str]:
        """Names that the `Host` of a request may have."""
        own = {self.host.lower(), *(name.lower() for name in self.names)}
        return frozenset(own | {"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def default_folder() -> Path:
    """Where projects are kept if the user names no folder: the system's place for data."""
    if "XDG_DATA_HOME" in os.environ:
        return Path(os.environ["XDG_DATA_HOME"]) / "musenet" / "studio"
    import typer

    return Path(typer.get_app_dir("musenet")) / "studio"
