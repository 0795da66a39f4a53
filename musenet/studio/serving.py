"""An application on a socket, until the process is told to stop."""

from __future__ import annotations

import socket
import sys
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI
from threadpoolctl import threadpool_limits

_CLOSING = 3
"""Seconds for which open connections keep a server that is told to stop."""
TURN = 0.0005
"""Seconds after which a thread that composes lets one that answers have its turn."""


class Server(uvicorn.Server):
    """Interrupts composing as soon as it is told to stop, so that open streams end."""

    def __init__(self, app: FastAPI) -> None:
        """Serve an application of `create_app`."""
        self._app = app
        super().__init__(
            uvicorn.Config(
                app, log_level="warning", lifespan="on", server_header=False,
                timeout_graceful_shutdown=_CLOSING,
            )
        )  # fmt: skip

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        services = getattr(self._app.state, "services", None)
        if services is not None:
            threading.Thread(target=services.worker.close, daemon=True).start()
        super().handle_exit(sig, frame)


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; each of the threads that compose has no others beside it."""
    sys.setswitchinterval(TURN)
    with threadpool_limits(1):
        Server(app).run(sockets=[listening])
