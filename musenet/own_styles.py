"""Where styles of one's own stand, and how they are found by name.

A style of one's own is a file `NAME.safetensors` (`adapters`) in a folder of the user's, or
wherever a path leads.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from musenet.errors import UserError
from musenet.styles import find_style, fold, style_id

SUFFIX = ".safetensors"
FOLDER_VARIABLE = "MUSENET_STYLES"
"""Environment variable that names another folder of styles."""
_NAME = re.compile(r"\w[\w \-]{0,63}")


def styles_folder() -> Path:
    """Where styles of one's own stand: what `FOLDER_VARIABLE` says, else the user's data folder."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("musenet") / "styles"


def own_styles() -> list[Path]:
    """The files of the styles in the folder, in the order of their names."""
    return sorted(path for path in styles_folder().glob(f"*{SUFFIX}") if path.is_file())


def find_own(name: str) -> Path | None:
    """The file of a style of one's own, by name or path; None where there is none.

    Case, accents and hyphens of a name do not matter. The last part of a path is also looked for
    in the folder of styles. Names that musenet knows itself are never those of one's own.
    """
    if find_style(name) is not None:
        return None
    if name.endswith(SUFFIX) and Path(name).is_file():
        return Path(name)
    wanted = fold(told_name(name).removesuffix(SUFFIX))
    return next((path for path in own_styles() if fold(path.stem) == wanted), None)


def check_style(name: str) -> None:
    """Check that a style is known, or is one's own.

    Raises:
        UserError: it is neither.
    """
    if find_style(name) is not None or find_own(name) is not None:
        return
    if name.endswith(SUFFIX):
        raise UserError(f"no style at {name}: make one with 'musenet finetune'")
    style_id(name)


def told_name(name: str) -> str:
    """A style's name as files tell it: of a path the last part."""
    return Path(name).name if name.endswith(SUFFIX) else name


def file_for(out: str, *, replace: bool = False) -> tuple[str, Path]:
    """Name and file of a new style.

    Args:
        out: a bare name, for the folder of styles, or a path that ends in .safetensors.
        replace: whether a file that is there may be overwritten.

    Raises:
        UserError: the name cannot be one, is known already, or the file is there.
    """
    path = Path(out)
    name = path.stem if out.endswith(SUFFIX) else out
    if not _NAME.fullmatch(name) or not fold(name):
        raise UserError(
            f"'{out}' is no name for a style: give letters, digits, hyphens and spaces, or a path "
            f"that ends in {SUFFIX}"
        )
    if find_style(name) is not None:
        raise UserError(f"a style '{name}' is there already, see 'musenet styles': give another")
    if not out.endswith(SUFFIX):
        path = find_own(name) or styles_folder() / f"{name}{SUFFIX}"
    if path.exists() and not replace:
        raise UserError(f"{path} is there already: give another name, or --replace")
    return name, path
