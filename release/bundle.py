"""Lays out the bundle for desktop clients (MCPB): `python -m release.bundle FOLDER`; the client's own tool packs it."""

import shutil
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
BESIDE: Final = ("pyproject.toml", "README.md", "LICENSE")
"""What uv needs to install the project from its source, and what a licence asks for."""


def lay_out(folder: Path) -> None:
    """Copy the manifest and everything that the wheel has into a folder that does not exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    folder.mkdir(parents=True)
    for name in (*shipped, *BESIDE):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    shutil.copy(Path(__file__).with_name("manifest.json"), folder / "manifest.json")


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
