"""Enswitch through the tools: every one once beside the simulated installation, and what they must never do."""

from pathlib import Path
from typing import Any

import pytest

from clients.effects import Effect
from clients.fields import WIRE
from clients.operation import Operation
from tests.clients.enswitch_accounts import installations
from tests.tools.enswitch_calls import CALLS
from tests.tools.enswitch_session import open_session
from tests.tools.example_reads import example_reads
from tools.registry import all_operations

OPERATIONS = {
    name: operation for name, operation in all_operations().items() if operation.spec.provider.name == "enswitch"
}

EVERY_CALL = CALLS | example_reads("enswitch", CALLS)

DOCUMENTED_DRY_RUNS = {
    "plans/routes/create", "plans/routes/update", "plans/classes/update", "routes/update", "outcosts/create",
    "outcosts/update", "incosts/create", "peers/costs/create", "outgroups/create", "numbers/times/update",
    "numbers/system/create", "numbers/system/update", "charges/create", "taxes/create", "taxes/update",
    "cards/batches/create", "callshops/create", "people/create", "roles/create", "roles/access/set",
    "queues/destinations/create", "huntgroups/create", "ivrs/create", "conferences/create", "speeddials/create",
    "addresses/create",
}  # fmt: skip
"""Functions whose page shows `validation`; that of numbers/update is inferred, and so is not offered."""

ONE_WAY = {
    "customers/purge", "customers/move", "customers/update", "customers/import", "customers/balance/add",
    "customers/topup/request", "vouchers/use", "charges/create", "charges/charge", "invoices/send",
    "cards/batches/create", "callshops/create", "numbers/delete", "numbers/system/delete", "plans/ingroups/delete",
    "plans/outgroups/delete", "routes/import", "people/delete", "roles/access/set", "user/switch", "messages/delete",
}  # fmt: skip
"""Functions that only the operator can approve."""


def function_of(operation: type[Operation[Any]]) -> str:
    return operation.spec.path.removeprefix("/api/json/").removesuffix("/")


# Every one -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", sorted(EVERY_CALL))
async def test_the_simulated_installation_carries_it_out(tool: str, tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        await model.do(f"enswitch_{tool}", **EVERY_CALL[tool])
        assert await installation.calls_of(function_of(OPERATIONS[f"enswitch_{tool}"]))
        assert (await installation.ask("leaks"))["count"] == 0
        assert (await installation.ask("ignored_validations"))["count"] == 0


def test_every_tool_is_called_above() -> None:
    assert {f"enswitch_{tool}" for tool in EVERY_CALL} == set(OPERATIONS)


async def test_there_is_a_tool_for_every_function_that_is_public_and_none_sends_what_a_page_does_not_have() -> None:
    async with installations() as installation:
        known = {
            row["path"]: {field["name"] for field in row["parameters"]} for row in await installation.ask("functions")
        }
    offered = {function_of(operation): operation for operation in OPERATIONS.values()}
    assert offered.keys() == known.keys()
    for path, operation in offered.items():
        own = {field.serialization_alias or name for name, field in operation.model_fields.items()}
        assert own - {"validation"} <= known[path], path


# Rules ---------------------------------------------------------------------------------------------------------------


def test_a_dry_run_is_offered_where_a_page_documents_it_and_nowhere_else() -> None:
    offered = {function_of(each) for each in OPERATIONS.values() if "dry_run" in each.model_fields}
    assert offered == DOCUMENTED_DRY_RUNS


def test_what_no_call_brings_back_goes_to_the_operator() -> None:
    assert {function_of(each) for each in OPERATIONS.values() if each.spec.irreversible} == ONE_WAY


async def test_nothing_that_changes_an_installation_is_declared_a_read() -> None:
    async with installations() as installation:
        writing = {row["path"] for row in await installation.ask("functions") if row["writes"]}
    reads = {function_of(each) for each in OPERATIONS.values() if Effect.READ in each.spec.effect}
    assert not reads & writing


def test_what_can_only_be_said_to_be_so_by_inference_says_it() -> None:
    inferred = {function_of(each) for each in OPERATIONS.values() if each.spec.basis.request == "inferred"}
    assert inferred == {"plans/routes/delete", "numbers/delete", "customers/undelete"}
    assert OPERATIONS["enswitch_delete_plan_route"].spec.basis.path == "documented"
    assert OPERATIONS["enswitch_list_numbers"].spec.basis.answer == "inferred"
    assert OPERATIONS["enswitch_list_call_totals"].spec.basis.weakest == "documented"


def test_every_secret_that_is_sent_is_made_by_the_server() -> None:
    call = OPERATIONS["enswitch_create_conference"].model_validate({"code": "4150", "talkpin": "77312290"})
    assert call.to_wire()["talkpin"] == "77312290"
    assert "77312290" not in str(call.model_dump(mode="json", context=WIRE)) + repr(call)
