from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.errors import UserError
from musenet.own_styles import (
    SUFFIX,
    check_style,
    file_for,
    find_own,
    own_styles,
    styles_folder,
    told_name,
)
from musenet.styles import STYLES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSENET_STYLES", str(tmp_path / "styles"))
    (tmp_path / "styles").mkdir()
    return tmp_path / "styles"


def test_the_folder_is_the_users_own_unless_the_environment_names_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert styles_folder() == folder
    monkeypatch.delenv("MUSENET_STYLES")
    assert styles_folder().parts[-2:] == ("musenet", "styles")
    monkeypatch.setenv("MUSENET_STYLES", str(folder / "nowhere"))
    assert own_styles() == []


def test_a_style_is_found_by_name_however_it_is_written_and_by_path(folder: Path) -> None:
    file = folder / "My-Style.safetensors"
    file.write_bytes(b"")
    for name in ("My-Style", "my style", "MY-STYLE", str(file), "elsewhere/my-style.safetensors"):
        assert find_own(name) == file
        check_style(name)
    assert find_own("my") is None
    assert own_styles() == [file]


def test_names_that_musenet_knows_are_never_ones_own(folder: Path) -> None:
    (folder / "bach.safetensors").write_bytes(b"")
    assert find_own("Bach") is None
    check_style("Bach")


def test_unknown_styles(folder: Path) -> None:
    with pytest.raises(UserError, match="did you mean mozart"):
        check_style("mozrat")
    with pytest.raises(UserError, match=r"no style at a/b\.safetensors"):
        check_style("a/b.safetensors")


@pytest.mark.parametrize("style", ["bach", "Johann Sebastian Bach", "big-band", "Folk Music"])
def test_a_new_style_needs_a_name_of_its_own(folder: Path, style: str) -> None:
    with pytest.raises(UserError, match="is there already"):
        file_for(style)
    with pytest.raises(UserError, match="is there already"):
        file_for(f"somewhere/{style}.safetensors")


@pytest.mark.parametrize(
    "name", ["", "a:2", "a,b", "../up", ".hidden", "-", "a/b", "a=b", "x" * 65]
)
def test_names_that_options_or_files_could_not_have(folder: Path, name: str) -> None:
    with pytest.raises(UserError, match="no name for a style"):
        file_for(name)


def test_a_style_that_is_there_is_not_overwritten_unasked(folder: Path) -> None:
    file = folder / "my-style.safetensors"
    assert file_for("my-style") == ("my-style", file)
    file.write_bytes(b"")
    for out in ("my-style", "My Style", str(file)):
        with pytest.raises(UserError, match="--replace"):
            file_for(out)
    assert file_for("My Style", replace=True) == ("My Style", file)
    assert file_for(str(file), replace=True) == ("my-style", file)


@given(st.text())
def test_files_tell_names_and_no_folders(name: str) -> None:
    assert told_name(name) == name or name.endswith(SUFFIX)
    assert told_name(f"/home/someone/{name.replace('/', '')}x{SUFFIX}").count("/") == 0


def test_every_known_style_stays_as_it_is() -> None:
    for style in STYLES:
        check_style(style.name)
        assert told_name(style.name) == style.name
