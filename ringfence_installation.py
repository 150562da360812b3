"""Checks that Ringfence's files are there, are its own, and can describe its tools.

Its packages have common names. Where another distribution puts a package of the same name into the same environment,
the files of the later one silently replace those of the earlier, and removing either breaks the other.
"""

import base64
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from types import ModuleType
from typing import Final

FOLDER: Final = os.path.dirname(os.path.realpath(__file__))
PACKAGES: Final = ("server", "tools", "prompts", "guard", "clients", "sandbox")
REMEDY: Final = "install Ringfence again, in an environment of its own (`uv tool install` makes one)"


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One file of the installation, as the installer's RECORD lists it."""

    path: str
    """Relative to the folder of the installation, with forward slashes."""

    digest: str = ""
    """SHA-256 in URL-safe base64 without padding; empty where none was recorded."""

    size: int | None = None
    """Bytes; None where they were not recorded."""


def find_fault(folder: str = FOLDER, loaded: Mapping[str, ModuleType] = sys.modules) -> str | None:
    """Return why Ringfence must not start from this folder, as one sentence, or None.

    Compares the sizes of the files with those that were installed, which takes about two milliseconds; their contents
    are `find_changed_files`'s to compare. `loaded` holds the modules that Python has imported already.
    """
    if sys.flags.optimize >= 2:
        return (
            "Ringfence cannot start under `python -OO` or PYTHONOPTIMIZE=2, which strip the descriptions of its tools: "
            "start it without them."
        )
    for package in PACKAGES:
        file = getattr(loaded.get(package), "__file__", None)
        if file and os.path.realpath(file) != os.path.join(folder, package, "__init__.py"):
            return (
                f"Ringfence cannot start, because Python has already loaded another package `{package}`, "
                f"{file} of {_owner_of(file)}: {REMEDY}."
            )
    if fault := _find_stand_in(loaded, os.environ.get("PYTHONPATH", "")):
        return fault
    for recorded in recorded_files(folder) or [RecordedFile(f"{package}/__init__.py") for package in PACKAGES]:
        path = os.path.join(folder, recorded.path)
        try:
            size = os.stat(path).st_size
        except OSError:
            return _explain_missing(path, folder)
        if recorded.size not in (None, size):
            return f"Ringfence cannot start, because {_owner_of(path)} replaced its file {path}: {REMEDY}."
    return None


def _find_stand_in(loaded: Mapping[str, ModuleType], pythonpath: str) -> str | None:
    """Return why Ringfence must not start if a module of Python itself was loaded from a folder of PYTHONPATH.

    From here on such folders come last; what Python or a launcher loaded before that cannot be taken back.
    """
    named = {os.path.realpath(part) for part in pythonpath.split(os.pathsep)} if pythonpath else set[str]()
    named.discard(os.path.dirname(os.path.realpath(os.__file__)))
    for name, module in loaded.items():
        file = getattr(module, "__file__", None)
        if name in sys.stdlib_module_names and file and os.path.dirname(os.path.realpath(file)) in named:
            return (
                f"Ringfence cannot start, because Python has already loaded {file} in place of its own module "
                f"`{name}`: start it without PYTHONPATH, or as `python -I -m ringfence`."
            )
    return None


def find_changed_files(folder: str = FOLDER) -> list[str]:
    """Return the files whose content is not what was installed, those that are gone included. Reads them all."""
    return [file.path for file in recorded_files(folder) if file.digest and file.digest != _digest(folder, file.path)]


def find_neighbours(folder: str = FOLDER) -> list[tuple[str, str]]:
    """Return the other distributions in a folder that use a package name of ours: each one's name, and the package."""
    found: list[tuple[str, str]] = []
    for distribution in _others(distributions(path=[folder])):
        tops = {file.parts[0] for file in distribution.files or ()}
        found += [(_title(distribution), package) for package in PACKAGES if package in tops]
    return found


def recorded_files(folder: str = FOLDER) -> list[RecordedFile]:
    """Return the files of our packages that the installer recorded; none in a checkout, which no installer wrote.

    Python rewrites bytecode as it likes, so what is in `__pycache__` does not count.
    """
    records = list(Path(folder).glob("ringfence-*.dist-info/RECORD"))
    if len(records) != 1:
        return []
    lines = records[0].read_text(encoding="utf-8").splitlines()
    return [_parse(line) for line in lines if line.partition("/")[0] in PACKAGES and "/__pycache__/" not in line]


def _parse(line: str) -> RecordedFile:
    """Read one line of a RECORD: `path,sha256=digest,size`."""
    path, digest, size = line.rsplit(",", 2)
    return RecordedFile(path, digest.removeprefix("sha256="), int(size) if size else None)


def _explain_missing(path: str, folder: str) -> str:
    if os.path.exists(f"{path}c") or not os.path.isdir(folder):
        return (
            "Ringfence cannot start without its sources, from which it reads the descriptions of its tools: "
            "install it as ordinary files, not in a zip archive and not as bytecode alone."
        )
    return f"Ringfence cannot start, because its file {path} is missing: {REMEDY}."


def _digest(folder: str, path: str) -> str:
    try:
        content = Path(folder, path).read_bytes()
    except OSError:
        return "missing"
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")


def _owner_of(path: str) -> str:
    """Name the distribution that installed a file. Reads what every distribution installed, so only for a sentence."""
    for distribution in _others(distributions()):
        if any(os.path.normpath(str(file.locate())) == path for file in distribution.files or ()):
            return f"the distribution {_title(distribution)}"
    return "an unknown distribution"


def _others(installed: Iterable[Distribution]) -> Iterator[Distribution]:
    return (distribution for distribution in installed if str(distribution.name).lower() != "ringfence")


def _title(distribution: Distribution) -> str:
    return f"{distribution.name} {distribution.version}"
