"""A start on a broken installation stops with one sentence; `ringfence doctor` finds what a start has no time to."""

import base64
import hashlib
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import ringfence
from ringfence_installation import PACKAGES, find_changed_files, find_fault, find_neighbours
from server.cli.health_checks import check_installation

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Create a folder of installed packages with a small Ringfence in it."""
    folder = tmp_path / "site-packages"
    files = {f"{package}/__init__.py": f'"""Our {package}."""\n' for package in PACKAGES}
    _install(folder, "ringfence", "0.1.0", files | {"tools/sms.py": "LIMIT = 160\n"})
    return folder


def test_an_installation_as_it_was_installed_has_no_fault(folder: Path) -> None:
    assert find_fault(str(folder), {}) is None
    assert find_changed_files(str(folder)) == []
    assert find_neighbours(str(folder)) == []


def test_a_checkout_has_no_fault() -> None:
    assert find_fault(str(ROOT)) is None
    assert find_changed_files(str(ROOT)) == []


@pytest.mark.parametrize("file", ["server/__init__.py", "tools/__init__.py", "tools/sms.py"])
def test_a_file_that_another_distribution_replaced_stops_the_start_and_names_that_distribution(
    file: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(folder, "acme-tools", "1.2", {file: '"""Everything that Acme needs."""\n'})
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    fault = find_fault(str(folder), {}) or ""
    assert fault.startswith("Ringfence cannot start, because the distribution acme-tools 1.2 replaced its file ")
    assert str(folder / file) in fault
    assert "in an environment of its own" in fault
    assert find_changed_files(str(folder)) == [file]


def test_a_file_that_nobody_admits_to_have_replaced_stops_the_start(folder: Path) -> None:
    (folder / "guard" / "__init__.py").write_text("", encoding="utf-8")
    assert "an unknown distribution replaced its file" in (find_fault(str(folder), {}) or "")


def test_a_changed_file_of_the_same_size_is_left_to_doctor(folder: Path) -> None:
    (folder / "tools" / "sms.py").write_text("LIMIT = 999\n", encoding="utf-8")
    assert find_fault(str(folder), {}) is None
    assert find_changed_files(str(folder)) == ["tools/sms.py"]


def test_a_file_that_went_with_another_distribution_stops_the_start(folder: Path) -> None:
    (folder / "tools" / "__init__.py").unlink()
    fault = find_fault(str(folder), {}) or ""
    assert f"its file {folder / 'tools' / '__init__.py'} is missing: install Ringfence again" in fault
    assert find_changed_files(str(folder)) == ["tools/__init__.py"]


def test_a_neighbour_that_waits_to_break_us_is_named_with_the_package(folder: Path) -> None:
    _install(folder, "acme-tools", "1.2", {"tools/hammer.py": "", "acme/__init__.py": ""})
    _install(folder, "harmless", "3", {"harmless/tools/__init__.py": ""})
    assert find_fault(str(folder), {}) is None
    assert find_neighbours(str(folder)) == [("acme-tools 1.2", "tools")]


def test_doctor_reports_an_installation_as_it_is(folder: Path) -> None:
    (result,) = check_installation(str(folder))
    assert (result.subject, result.state) == ("installation", "ok")
    assert f"in {folder}: all 7 files are as they were installed" in result.detail
    (result,) = check_installation(str(ROOT))
    assert (result.state, result.detail.partition(": ")[2]) == ("ok", "a checkout, not an installation")


def test_doctor_reports_changed_files_and_neighbours(folder: Path) -> None:
    (folder / "tools" / "sms.py").write_text("LIMIT = 999\n", encoding="utf-8")
    (folder / "guard" / "__init__.py").unlink()
    _install(folder, "acme-tools", "1.2", {"tools/hammer.py": ""})
    changed, neighbour = check_installation(str(folder))
    assert changed.state == "fail"
    assert f"not as installed: guard/__init__.py and 1 more in {folder}; install Ringfence again" in changed.detail
    assert neighbour.state == "warn"
    assert neighbour.detail.startswith("acme-tools 1.2 puts a package `tools` into this environment, too: updating or")


def test_a_package_that_python_loaded_before_stops_the_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder.parent / "elsewhere"
    _install(elsewhere, "acme-clients", "2", {"clients/__init__.py": ""})
    theirs = ModuleType("clients")
    theirs.__file__ = str(elsewhere / "clients" / "__init__.py")
    monkeypatch.setattr(sys, "path", [str(elsewhere), *sys.path])
    fault = find_fault(str(folder), {"clients": theirs}) or ""
    assert f"another package `clients`, {theirs.__file__} of the distribution acme-clients 2: " in fault


def test_bytecode_without_sources_stops_the_start(folder: Path) -> None:
    for package in PACKAGES:
        source = folder / package / "__init__.py"
        source.rename(source.with_suffix(".pyc"))
    assert (find_fault(str(folder), {}) or "").startswith("Ringfence cannot start without its sources")


def test_a_zip_archive_stops_the_start(folder: Path) -> None:
    archive = folder.parent / "ringfence.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(ROOT / "ringfence.py", "ringfence.py")
        file.write(ROOT / "ringfence_installation.py", "ringfence_installation.py")
    ended = _run("-c", f"import sys; sys.path.insert(0, {str(archive)!r}); import ringfence; ringfence.main()")
    assert ended.returncode == 2
    assert ended.stderr.startswith("Ringfence cannot start without its sources")


def test_stripped_docstrings_stop_the_start() -> None:
    ended = _run("-OO", "-m", "ringfence", "--version")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Ringfence cannot start under `python -OO` or PYTHONOPTIMIZE=2")
    assert ended.stderr.count("\n") == 1


def test_stripped_assertions_do_not_stop_the_start() -> None:
    assert _run("-O", "-m", "ringfence", "--version").returncode == 0


def test_a_checkout_runs_from_elsewhere_and_takes_nothing_from_that_folder(tmp_path: Path) -> None:
    for name in ("tools", "server", "typing", "getpass", "typer"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('this is not Ringfence')\n", encoding="utf-8")
    assert _run(str(ROOT / "ringfence.py"), "--version", cwd=tmp_path).stdout.startswith("ringfence ")
    assert _run("-P", str(ROOT / "ringfence.py"), "--version", cwd=tmp_path).stdout.startswith("ringfence ")
    assert _run("-m", "ringfence", "--version", cwd=tmp_path).stdout.startswith("ringfence ")
    named = os.pathsep.join([".", str(tmp_path)])
    assert _run("-m", "ringfence", "--version", PYTHONPATH=named).stdout.startswith("ringfence ")


def test_folders_that_pythonpath_names_come_last_and_relative_ones_not_at_all() -> None:
    found = ["/app/bin", "/extra", os.path.abspath("."), "/lib/python", "/lib/site-packages"]
    installed = ["/app/bin", "/lib/python", "/lib/site-packages"]
    assert ringfence.put_last(found, os.pathsep.join(["/extra", "."])) == [*installed, "/extra"]
    assert ringfence.put_last(found, os.pathsep.join(["/extra", ""])) == [*installed, "/extra"]
    assert ringfence.put_last(found, "") == found


def test_a_module_that_stood_in_for_one_of_python_before_stops_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = ModuleType("getpass")
    theirs.__file__ = str(folder.parent / "project" / "getpass.py")
    assert find_fault(str(folder), {"getpass": theirs}) is None
    monkeypatch.setenv("PYTHONPATH", str(folder.parent / "project"))
    fault = find_fault(str(folder), {"getpass": theirs}) or ""
    assert f"has already loaded {theirs.__file__} in place of its own module `getpass`: " in fault
    assert "python -I -m ringfence" in fault


def test_the_wheel_the_finder_and_the_check_have_the_same_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert sorted(shipped) == sorted(["ringfence.py", "ringfence_installation.py", *PACKAGES])
    assert set(ringfence.OWN) == {"ringfence_installation", *PACKAGES}


def _install(folder: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Put a distribution into a folder as an installer does, over whatever is there."""
    record: list[str] = []
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=").decode("ascii")
        record.append(f"{path},sha256={digest},{file.stat().st_size}\n")
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    (metadata / "RECORD").write_text("".join(record), encoding="utf-8")


def _run(*words: str, cwd: Path | None = None, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )
