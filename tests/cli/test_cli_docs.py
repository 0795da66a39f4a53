from __future__ import annotations

from pathlib import Path

from musenet.cli.docs import reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    """If not: python -m musenet.cli.docs > docs/cli.md."""
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_option_is_explained() -> None:
    assert "None" not in reference()
