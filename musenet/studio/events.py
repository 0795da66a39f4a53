"""Events of a composition: written by the worker's thread, read by any number of streams."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it lives."""
RETRY = 250
"""Milliseconds after which a browser connects again."""


@dataclass(frozen=True)
class Event:
    """An event with its number, from 1, and its data as JSON text."""

    number: int
    name: str
    data: str

    def text(self) -> str:
        """As a server-sent event (HTML Standard, 9.2)."""
        return f"id: {self.number}\nevent: {self.name}\ndata: {self.data}\n\n"


class EventLog:
    """Events in order, until it is closed; safe to use from any thread."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._closed = False
        self._readers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def add(self, name: str, data: Mapping[str, Any], *, last: bool = False) -> None:
        """Write an event down and wake the readers; nothing comes after the last."""
        text = json.dumps(data, separators=(",", ":"))
        with self._lock:
            if self._closed:
                return
            self._events.append(Event(len(self._events) + 1, name, text))
            self._closed = last
            for loop, event in self._readers:
                loop.call_soon_threadsafe(event.set)

    def after(self, number: int) -> tuple[list[Event], bool]:
        """The events behind a number, and whether they are the last."""
        with self._lock:
            return self._events[max(0, number) :], self._closed

    async def follow(self, number: int) -> AsyncIterator[Event | None]:
        """The events behind a number as they come; None when there was none for a while."""
        reader = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._readers.add(reader)
        try:
            while True:
                reader[1].clear()
                events, closed = self.after(number)
                for event in events:
                    yield event
                    number = event.number
                if closed:
                    return
                try:
                    await asyncio.wait_for(reader[1].wait(), HEARTBEAT)
                except TimeoutError:
                    yield None
        finally:
            with self._lock:
                self._readers.discard(reader)


async def stream(events: AsyncIterator[Event | None]) -> AsyncIterator[str]:
    """Events as the text of a stream."""
    yield f"retry: {RETRY}\n\n"
    async for event in events:
        yield event.text() if event else ": still here\n\n"
