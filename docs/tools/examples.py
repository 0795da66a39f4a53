"""The pieces of docs/examples.md, composed by the bundled weights and drawn.

    python docs/tools/examples.py [--only NAME ...]

The page has the commands: each 'musenet compose ... -o examples/NAME.mid' in it is run, and the
piece drawn as NAME.png beside it.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "examples.md"


def main() -> None:
    """Compose and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", nargs="*", help="names of pieces, by default all")
    arguments = parser.parse_args()
    for command in commands(PAGE.read_text(encoding="utf8")):
        piece = Path(command[-1])
        if arguments.only is None or piece.stem in arguments.only:
            _musenet(command)
            _musenet(["render", str(piece), "-o", str(piece.with_suffix(".png"))])


def commands(page: str) -> list[list[str]]:
    """The arguments of each command that composes an example."""
    lines = page.replace("\\\n", " ").splitlines()
    found = [shlex.split(line) for line in lines if line.startswith("musenet compose ")]
    return [words[1:] for words in found]


def _musenet(arguments: list[str]) -> None:
    """Run a command where the page stands."""
    subprocess.run([sys.executable, "-m", "musenet", *arguments], cwd=PAGE.parent, check=True)


if __name__ == "__main__":
    main()
