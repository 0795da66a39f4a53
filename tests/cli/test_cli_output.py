"""What the commands print."""

import json
import math

import pytest

from musenet.cli.output import print_json


def test_json_has_null_for_what_is_no_finite_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": math.nan, "b": [1.5, math.inf], "c": {"d": (-math.inf, "x", None, True)}})
    printed = capsys.readouterr().out
    assert "NaN" not in printed and "Infinity" not in printed
    assert json.loads(printed) == {
        "a": None, "b": [1.5, None], "c": {"d": [None, "x", None, True]}
    }  # fmt: skip
