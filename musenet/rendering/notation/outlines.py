"""Path data of SVG (moves, lines and cubic curves) as matplotlib paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matplotlib.path import Path

_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Z": 0}
_Point = tuple[float, float]


def parse_outline(data: str) -> Path:
    """The path of SVG path data with the commands M, L, H, V, C, S and Z, absolute or relative."""
    vertices: list[_Point] = []
    codes: list[int] = []
    at = begin = control = (0.0, 0.0)
    for command, numbers in _commands(data):
        origin = at if command.islower() else (0.0, 0.0)
        points = _points(command.upper(), numbers, origin, at)
        match command.upper():
            case "M":
                begin = points[0]
                codes.append(int(Path.MOVETO))
            case "Z":
                points = [begin]
                codes.append(int(Path.CLOSEPOLY))
            case "C" | "S":
                if command in "Ss":
                    points.insert(0, (2 * at[0] - control[0], 2 * at[1] - control[1]))
                codes += [int(Path.CURVE4)] * 3
            case _:
                codes.append(int(Path.LINETO))
        vertices += points
        at = points[-1]
        control = points[1] if len(points) == 3 else at
    return Path(vertices, codes)


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """Commands with their numbers; a command that takes more numbers is repeated."""
    tokens = _TOKEN.findall(data)
    place, command = 0, "M"
    while place < len(tokens):
        if tokens[place].isalpha():
            command = tokens[place]
            place += 1
        elif command in "Mm":
            command = "L" if command == "M" else "l"
        count = _NUMBERS[command.upper()]
        yield command, [float(token) for token in tokens[place : place + count]]
        place += count


def _points(command: str, numbers: list[float], origin: _Point, at: _Point) -> list[_Point]:
    if command == "H":
        return [(origin[0] + numbers[0], at[1])]
    if command == "V":
        return [(at[0], origin[1] + numbers[0])]
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return [(origin[0] + x, origin[1] + y) for x, y in pairs]
