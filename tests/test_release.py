"""What a release carries beside the code says the same everywhere: bundle, registry entry, settings, version."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from pydantic import SecretStr

from release.bundle import lay_out
from server.cli.init.accounts import is_secret
from server.settings.keys import variable_of
from tools.registry import provider_named, provider_names

ROOT: Final = Path(__file__).resolve().parents[1]
MANIFEST: Final[dict[str, Any]] = json.loads((ROOT / "release" / "manifest.json").read_text(encoding="utf-8"))
ENTRY: Final[dict[str, Any]] = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 100}
WHAT_THE_REGISTRY_TAKES: Final = {
    "type": "object",
    "required": ["name", "description", "version", "packages"],
    "additionalProperties": False,
    "properties": {
        "$schema": {
            "type": "string",
            "pattern": r"^https://static\.modelcontextprotocol\.io/schemas/\d{4}-\d\d-\d\d/server\.schema\.json$",
        },
        "name": {"type": "string", "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "minLength": 3, "maxLength": 200},
        "title": TEXT,
        "description": TEXT,
        "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
        "packages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["registryType", "identifier", "version", "transport"],
                "additionalProperties": False,
                "properties": {
                    "registryType": {"enum": ["pypi"]},
                    "identifier": {"type": "string"},
                    "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
                    "runtimeHint": {"enum": ["uvx"]},
                    "transport": {"const": {"type": "stdio"}},
                    "packageArguments": {
                        "items": {
                            "required": ["type", "value"],
                            "additionalProperties": False,
                            "properties": {"type": {"const": "positional"}, "value": {"type": "string"}},
                        }
                    },
                    "environmentVariables": {
                        "items": {
                            "required": ["name", "description"],
                            "additionalProperties": False,
                            "properties": {
                                "name": {"type": "string"},
                                "description": {"type": "string"},
                                "isSecret": {"type": "boolean"},
                            },
                        }
                    },
                },
            },
        },
    },
}
"""What the registry's schema of 2025-12-11 says of the fields that our entry has, in our own words."""


def test_the_registrys_entry_has_the_form_that_the_registry_takes() -> None:
    jsonschema.validate(ENTRY, WHAT_THE_REGISTRY_TAKES)


PACKAGE: Final[dict[str, Any]] = ENTRY["packages"][0]
WHAT_IT_REFUSES: Final[list[dict[str, Any]]] = [
    {"name": "ringfence"},
    {"name": "io.github.ringfence/ring/fence"},
    {"description": ""},
    {"description": "x" * 101},
    {"title": "x" * 101},
    {"version": None},
    {"packages": [{**PACKAGE, "version": "latest"}]},
    {"packages": [{**PACKAGE, "transport": {"type": "pipe"}}]},
    {"packages": [{**PACKAGE, "transport": {}}]},
    {"packages": [{**PACKAGE, "packageArguments": [{"type": "flag", "value": "serve"}]}]},
    {"packages": [{**PACKAGE, "environmentVariables": [{"description": "no name"}]}]},
    {"packages": [{**PACKAGE, "environmentVariables": [{"name": "A", "isSecret": "yes"}]}]},
]


@pytest.mark.parametrize("changed", WHAT_IT_REFUSES)
def test_what_the_registry_refuses_is_refused_here(changed: dict[str, Any]) -> None:
    """The registry's own schema of 2025-12-11 refuses each of them too, and takes the entry as it is."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(ENTRY | changed, WHAT_THE_REGISTRY_TAKES)


def test_one_version_is_named_everywhere() -> None:
    named = {PROJECT["version"], MANIFEST["version"], ENTRY["version"], ENTRY["packages"][0]["version"]}
    assert named == {PROJECT["version"]}
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {PROJECT['version']}" in changes or f"[{PROJECT['version']}]" in changes


def test_bundle_and_entry_ask_for_all_that_a_login_needs_and_hide_what_is_secret() -> None:
    needed = {
        variable_of(f"{name}.{key}"): is_secret(provider_named(name).settings, key)
        for name in provider_names()
        for key in _keys_of_a_login(name)
    }
    in_entry = {one["name"]: one.get("isSecret", False) for one in ENTRY["packages"][0]["environmentVariables"]}
    config: dict[str, Any] = MANIFEST["user_config"]
    in_bundle = {
        variable: config[text.removeprefix("${user_config.").removesuffix("}")]["sensitive"]
        for variable, text in MANIFEST["server"]["mcp_config"]["env"].items()
    }
    assert in_entry == needed
    assert in_bundle == needed
    assert len(config) == len(needed)


def test_what_is_left_empty_in_a_bundle_sets_nothing() -> None:
    """A client puts the default in; without one, some leave the placeholder, which stops the start."""
    assert [name for name, one in MANIFEST["user_config"].items() if one["default"] != "" or one["required"]] == []


def test_a_bundle_holds_what_the_wheel_has_and_no_bytecode(tmp_path: Path) -> None:
    lay_out(tmp_path / "bundle")
    names = {path.name for path in (tmp_path / "bundle").iterdir()}
    assert names >= {"manifest.json", "pyproject.toml", "LICENSE", MANIFEST["server"]["entry_point"], "server", "tools"}
    assert list((tmp_path / "bundle").rglob("*.pyc")) == []


@pytest.mark.parametrize("name", ["bundle.py", "manifest.json"])
def test_the_page_of_releases_names_what_a_release_is_made_with(name: str) -> None:
    page = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
    assert f"release/{name}" in page or f"release.{name.removesuffix('.py')}" in page


def _keys_of_a_login(name: str) -> list[str]:
    """Return what is asked for one after the other until a client can log in."""
    declared = provider_named(name).settings
    values: dict[str, Any] = {}
    while missing := declared.model_validate(values).missing:
        key = missing[0]
        filled = "0" * 32 if is_secret(declared, key) else "https://x.test" if key.endswith("url") else "x"
        values[key] = SecretStr(filled) if is_secret(declared, key) else filled
    return list(values)


def test_versions_are_written_as_releases_are() -> None:
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", PROJECT["version"])
