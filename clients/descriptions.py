"""The sentences under fields, read from the source when they are first asked for.

pydantic can do this too (`use_attribute_docstrings`), but does it for every class as it is defined: measured, nine
tenths of the time it takes to import the operations, of which most sessions need a few.
"""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

Sentences = Mapping[str, str]


def field_descriptions(model: type[BaseModel]) -> Sentences:
    """Return what stands under each field of a model, its bases included."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls.__module__ in sys.modules:
            found |= _in_module(cls.__module__).get(cls.__name__, {})
    return {name: text for name, text in found.items() if name in model.model_fields}


def rule_descriptions(model: type[BaseModel]) -> tuple[str, ...]:
    """Return what a model and its nested ones demand of several arguments together, which no schema shows.

    The rule is the docstring of the validator that enforces it.
    """
    declared = [part.__pydantic_decorators__.model_validators.values() for part in argument_models(model)]
    rules = [inspect.getdoc(one.func) for validators in declared for one in validators if one.info.mode == "after"]
    return tuple(dict.fromkeys(" ".join(rule.split()) for rule in rules if rule))


def argument_models(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and those of its nested arguments."""
    found = [model]
    for part in found:
        inner = [kind for field in part.model_fields.values() for kind in _models_in(field.annotation)]
        found += [kind for kind in dict.fromkeys(inner) if kind not in found]
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in _models_in(part)]


@cache
def _in_module(name: str) -> Mapping[str, Sentences]:
    try:
        source = inspect.getsource(sys.modules[name])
    except (OSError, TypeError):
        return {}
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {node.name: _sentences(node) for node in classes}


def _sentences(cls: ast.ClassDef) -> Sentences:
    found: dict[str, str] = {}
    for statement, following in zip(cls.body, cls.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            found[statement.target.id] = " ".join(following.value.value.split())
    return found
