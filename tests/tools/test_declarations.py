"""Rules that hold for every operation there is."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from clients.effects import Effect
from clients.evidence import Evidence
from clients.operation import ChangesSomething, Operation, OperationType, answer_type
from sandbox.voicetel.catalog import ENDPOINTS
from server.mcp.listing.entries import annotations
from tools.arguments import BadArguments, parse
from tools.description import tool_description
from tools.discovery.examples import ExampleAccount, example_call, example_of, examples
from tools.registry import DuplicateOperation, all_operations, by_tool_name, operations_of
from tools.related_reads import tool_for
from tools.schema import input_schema, server_inputs

PROVIDERS = ("voicetel", "routee", "convirza", "enswitch")
SETS_WHAT_IT_REQUIRES = {
    "convirza_update_tag",
    "enswitch_update_invoice",
    "enswitch_update_outcost",
    "enswitch_update_phone",
    "enswitch_update_queue",
    "routee_update_campaign",
    "routee_update_contact",
    "routee_update_number",
    "voicetel_update_authentication",
    "voicetel_update_e911_record",
}
"""Updates that set what they require, replace the whole, or have a rule of their own about what must be given."""

SENT_AT = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)

Rule = Callable[[OperationType], None]


def of_every_operation(rule: Rule) -> Callable[[], None]:
    """Return a test that the rule holds for every operation; it names those that break the rule."""

    def test() -> None:
        broken: dict[str, str] = {}
        for name, operation in all_operations().items():
            try:
                rule(operation)
            except (AssertionError, LookupError, BadArguments) as why:
                broken[name] = repr(why)
        assert broken == {}

    test.__name__ = rule.__name__
    return test


@of_every_operation
def test_it_has_a_name_that_every_client_takes(operation: OperationType) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,39}", operation.spec.tool_name)


@of_every_operation
def test_it_says_in_a_sentence_what_it_does(operation: OperationType) -> None:
    text = " ".join((operation.__doc__ or "").split())
    assert text
    assert text[0].isupper()
    assert text.endswith(".")
    assert len(text) <= 300


@of_every_operation
def test_every_argument_is_described_in_a_sentence(operation: OperationType) -> None:
    for name, rule in input_schema(operation)["properties"].items():
        assert rule.get("description", "").endswith("."), f"{name} is not described"


@of_every_operation
def test_its_schema_is_strict_flat_and_free_of_generated_titles(operation: OperationType) -> None:
    schema = input_schema(operation)
    assert schema["additionalProperties"] is False
    assert not {"anyOf", "oneOf", "allOf", "$defs"} & schema.keys()
    assert all("title" not in rule for rule in schema["properties"].values())
    assert all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name) for name in schema["properties"])


@of_every_operation
def test_no_argument_can_carry_a_guard_input_or_a_secret(operation: OperationType) -> None:
    words = {"confirm", "confirmed", "approve", "approval", "force", "password", "pin", "passcode", "api_key", "budget"}
    assert not words & input_schema(operation)["properties"].keys()
    assert not set(server_inputs(operation)) & input_schema(operation)["properties"].keys()


@of_every_operation
def test_all_four_hints_are_explicit_and_true_to_the_effect(operation: OperationType) -> None:
    hints = annotations(operation.spec)
    assert None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
    assert hints.read_only_hint == (operation.spec.effect is Effect.READ)


@of_every_operation
def test_its_toolset_docs_and_answer_are_declared(operation: OperationType) -> None:
    spec = operation.spec
    assert spec.toolset
    assert spec.docs.startswith("https://")
    assert answer_type(operation)
    if spec.rows is not None:
        assert spec.rows in getattr(answer_type(operation), "model_fields", {})


@of_every_operation
def test_what_it_spends_is_declared_where_it_is_paid(operation: OperationType) -> None:
    own = [base for base in operation.__mro__ if base is not Operation and not base.__name__.startswith("Operation[")]
    assert any("charge" in vars(base) for base in own) == (Effect.PAID in operation.spec.effect)


@of_every_operation
def test_a_read_is_plain_or_paid_and_a_change_says_which_kind(operation: OperationType) -> None:
    effect = operation.spec.effect
    changes = Effect.WRITE | Effect.DESTRUCTIVE | Effect.REROUTES | Effect.PRIVILEGED
    assert not (Effect.READ in effect and effect & changes)
    assert effect


@of_every_operation
def test_only_a_declared_header_lets_a_change_be_repeated(operation: OperationType) -> None:
    spec = operation.spec
    assert spec.may_repeat == (spec.effect is Effect.READ or spec.idempotency_header is not None)


@of_every_operation
def test_it_has_an_example_that_could_be_called(operation: OperationType) -> None:
    assert isinstance(example_call(operation), operation)


def test_no_example_is_left_of_an_operation_that_is_gone() -> None:
    named = {f"{provider}_{name}" for provider in PROVIDERS for name in examples(provider)}
    assert named == set(all_operations())


@of_every_operation
def test_an_update_that_changes_nothing_is_refused(operation: OperationType) -> None:
    if not issubclass(operation, ChangesSomething):
        return
    required = {name: value for name, value in example_of(operation).items() if name in _names_the_thing(operation)}
    with pytest.raises(BadArguments, match="nothing to change"):
        parse(operation, required, ExampleAccount())


def _names_the_thing(operation: OperationType) -> set[str]:
    required = {name for name, field in operation.model_fields.items() if field.is_required()}
    return required | (operation.besides if issubclass(operation, ChangesSomething) else set())


@of_every_operation
def test_an_update_must_change_something_or_always_sets_something(operation: OperationType) -> None:
    if operation.spec.name.startswith("update_"):
        assert issubclass(operation, ChangesSomething) or operation.spec.tool_name in SETS_WHAT_IT_REQUIRES


@of_every_operation
def test_what_is_to_be_gone_or_new_is_read_before_by_the_same_read(operation: OperationType) -> None:
    """Otherwise what was never there counts as removed, and what was there all along as added."""
    verification = example_call(operation).verification(SENT_AT)
    if verification is None:
        return
    if verification.if_absent is Evidence.YES:
        assert verification.must_be_new
    if verification.must_be_new:
        assert verification.check_before is not None or example_call(operation).before() == verification.read


@of_every_operation
def test_every_read_that_the_guard_makes_is_of_an_endpoint_that_a_tool_reads(operation: OperationType) -> None:
    """Then a correction of the endpoint reaches the read, and its text names a tool that exists."""
    call = example_call(operation)
    verification = call.verification(SENT_AT)
    for read in (call.before(), verification.read if verification else None):
        if read is not None:
            tool = all_operations()[tool_for(read)]
            assert (tool.spec.method, tool.spec.path) == (read.spec.method, read.spec.path)


def test_a_name_that_is_declared_twice_stops_the_registry() -> None:
    one = next(iter(all_operations().values()))
    with pytest.raises(DuplicateOperation, match=one.spec.tool_name):
        by_tool_name([one, one])


def test_effect_docs_and_toolset_have_no_default() -> None:
    required = {
        name
        for name, parameter in inspect.signature(
            next(iter(all_operations().values())).spec.provider.operation
        ).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    assert required == {"method", "path", "effect", "toolset", "docs"}


def test_voicetel_is_complete() -> None:
    offered = [(one.spec.method, without_names(one.spec.path)) for one in operations_of("voicetel").values()]
    simulated = {(endpoint.method, without_names(endpoint.path)) for endpoint in ENDPOINTS}
    assert len(offered) == len(set(offered))
    assert set(offered) == simulated


def without_names(path: str) -> str:
    """Leave the names of the parameters out of a path."""
    return re.sub(r"\{[^}]+\}", "{}", path)


@of_every_operation
def test_its_description_says_when_it_needs_approval(operation: OperationType) -> None:
    said = "Needs approval." in tool_description(operation) or "Only the operator" in tool_description(operation)
    assert said == operation.spec.effect.is_guarded
