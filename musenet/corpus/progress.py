"""What is told of the progress of a build."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is to do."""
