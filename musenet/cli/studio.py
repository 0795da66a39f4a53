"""`musenet studio`."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from musenet.cli.options import Device, Model, On, SoundFont, check_place, torch_device
from musenet.cli.originality import copies_in
from musenet.cli.output import say
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.studio.settings import Settings

DEFAULT_PORT = 8000


def studio(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen. One that other machines can "
                          "reach needs a --token.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=0, max=65535, show_default=f"{DEFAULT_PORT}, or a free "
                     "one", help="Port to listen on; 0 for a free one."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(metavar="TEXT", envvar="MUSENET_TOKEN", show_default="none",
                     help="What clients must show; better given as MUSENET_TOKEN."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A further name that clients call the server by; may be "
                     "given again."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", show_default="the system's folder for data",
                     help="Where projects are kept."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    copies: Annotated[
        Path | None,
        typer.Option("--originality", metavar="CORPUS|INDEX", exists=True,
                     show_default="that of 'musenet corpus index --usual'",
                     help="Rank candidates last that copy a passage of the training pieces, as "
                     "'musenet originality' finds it."),
    ] = None,
    soundfont: SoundFont = None,
    model: Model = None,
    device: On = Device.AUTO,
) -> None:  # fmt: skip
    """Serve the studio: a web page to compose in, and the HTTP API behind it."""
    try:
        from musenet.studio.app import create_app
        from musenet.studio.serving import serve
        from musenet.studio.settings import Settings, default_folder
    except ImportError as error:
        raise UserError(f"the studio needs {error.name}: pip install 'musenet[studio]'") from error
    settings = Settings(
        data or default_folder(), host, token, tuple(name or ()), model, torch_device(device),
        soundfont,
    )  # fmt: skip
    check_place(settings.data)
    find_copy = copies_in(copies)
    listening = _listening(host, port)
    address = _address(settings, listening)
    app = create_app(settings, find_copy=find_copy)
    say(f"the studio is at {address} (Ctrl-C stops it); projects are kept in {settings.data}")
    if open_:
        typer.launch(address)
    serve(app, listening)


def _listening(host: str, port: int | None) -> socket.socket:
    """A socket that listens; on a free port if none is asked for and the usual one is taken.

    Raises:
        UserError: it cannot.
    """
    for wanted in (DEFAULT_PORT, 0) if port is None else (port,):
        try:
            family = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0][0]
            made = socket.create_server((host, wanted), family=family, backlog=256)
        except OSError as error:
            reason = error.strerror
        else:  # asyncio answers without delay (TCP_NODELAY) only where the protocol is named
            return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, made.detach())
    raise UserError(f"cannot listen on {host} port {port}: {reason}; give another --host or --port")


def _address(settings: Settings, listening: socket.socket) -> str:
    """Where the page is; with the token, so that a browser can be sent there."""
    port = listening.getsockname()[1]
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    query = f"?token={quote(settings.token)}" if settings.token else ""
    return f"http://{shown}:{port}/{query}"
