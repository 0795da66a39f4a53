"""Standard MIDI Files written by hand, byte by byte, for tests."""

from __future__ import annotations

from collections.abc import Iterable

END = b"\x00\xff\x2f\x00"


def header(kind: int = 1, tracks: int = 1, division: int = 480) -> bytes:
    numbers = (part.to_bytes(2, "big") for part in (kind, tracks, division))
    return b"MThd\x00\x00\x00\x06" + b"".join(numbers)


def track(*events: bytes, length: int | None = None, end: bytes = END) -> bytes:
    body = b"".join(events) + end
    return b"MTrk" + (len(body) if length is None else length).to_bytes(4, "big") + body


def midi_file(*tracks: bytes, kind: int = 1, division: int = 480) -> bytes:
    return header(kind, len(tracks), division) + b"".join(tracks)


def wait(ticks: int) -> bytes:
    groups = [ticks & 0x7F]
    while ticks := ticks >> 7:
        groups.append(ticks & 0x7F | 0x80)
    return bytes(reversed(groups))


def event(ticks: int, *data: int) -> bytes:
    return wait(ticks) + bytes(data)


def on(ticks: int, pitch: int, velocity: int = 80, channel: int = 0) -> bytes:
    return event(ticks, 0x90 | channel, pitch, velocity)


def off(ticks: int, pitch: int, channel: int = 0) -> bytes:
    return event(ticks, 0x80 | channel, pitch, 64)


def program(ticks: int, number: int, channel: int = 0) -> bytes:
    return event(ticks, 0xC0 | channel, number)


def pedal(ticks: int, value: int, channel: int = 0) -> bytes:
    return event(ticks, 0xB0 | channel, 64, value)


def meta(ticks: int, kind: int, content: bytes) -> bytes:
    return wait(ticks) + bytes([0xFF, kind]) + wait(len(content)) + content


def tempo(ticks: int, bpm: float) -> bytes:
    return meta(ticks, 0x51, round(60e6 / bpm).to_bytes(3, "big"))


def metre(ticks: int, numerator: int, power: int) -> bytes:
    return meta(ticks, 0x58, bytes([numerator, power, 24, 8]))


def tune(pitches: Iterable[int] = (60, 62, 64), channel: int = 0) -> list[bytes]:
    """Notes of a beat each, one after the other, at 480 ticks a beat."""
    return [part for p in pitches for part in (on(0, p, 80, channel), off(480, p, channel))]


SMALL = midi_file(
    track(meta(0, 3, b"Small"), tempo(0, 90), metre(0, 3, 2), tempo(960, 100)),
    track(meta(0, 3, b"Violin"), program(0, 40), pedal(0, 100), *tune(), pedal(10, 0)),
    track(meta(0, 3, b"Drums"), *tune((36, 38), channel=9), event(0, 0xF0, 2, 0x7E, 0xF7)),
)
"""A conductor, a violin with pedal and drums."""
