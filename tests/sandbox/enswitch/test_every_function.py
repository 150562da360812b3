"""Every function answers in its documented shape, and refuses what its page does not allow."""

from typing import cast

import pytest

from sandbox.enswitch.catalog import FUNCTIONS
from tests.sandbox.enswitch.doors import Door, Parameters, enswitch
from tests.sandbox.enswitch.examples import EXAMPLES, Example

WRONG = {"integer": "three", "flag": "2", "decimal": "ten", "base64": "%%%"}
each_function = pytest.mark.parametrize(("function", "example"), EXAMPLES.items(), ids=EXAMPLES)

PUBLIC = {"plans/get", "numbers/get", "numbers/available/list"}
DRY_RUN = [function.path for function in FUNCTIONS if function.dry_run]
NO_DRY_RUN = (
    "numbers/purchase",
    "numbers/system/delete",
    "customers/balance/add",
    "customers/topup/request",
    "customers/delete",
    "customers/purge",
    "customers/move",
    "customers/import",
    "charges/charge",
    "invoices/update",
    "invoices/send",
    "vouchers/use",
    "messages/text/send",
    "faxes/send",
    "calls/make",
    "calls/hangup",
    "calls/update",
    "people/delete",
    "plans/routes/delete",
    "plans/features/set",
    "plans/ingroups/delete",
    "plans/outgroups/delete",
    "routes/import",
    "taxes/liable/set",
)


async def declared(door: Door) -> dict[str, dict[str, object]]:
    """Return the functions as the sandbox declares them, by path."""
    rows = cast("list[dict[str, object]]", await door.control("enswitch/functions"))
    return {str(row["path"]): row for row in rows}


def parameters_of(function: dict[str, object]) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", function["parameters"])


async def snapshot(door: Door) -> object:
    return await door.control("enswitch/tables"), await door.ledger()


async def test_there_is_an_example_of_every_function() -> None:
    async with enswitch() as door:
        functions = await declared(door)
    assert set(functions) == set(EXAMPLES)
    assert all(function["basis"] for function in functions.values())


async def test_the_dry_run_is_missing_where_the_guide_has_none() -> None:
    async with enswitch() as door:
        functions = await declared(door)
    assert [path for path in NO_DRY_RUN if functions[path]["validation"]] == []
    assert functions["plans/routes/create"]["validation"]


@each_function
async def test_a_call_answers_in_the_documented_shape(function: str, example: Example) -> None:
    async with enswitch() as door:
        reply = await door.call(function, example.parameters, example.who)
    assert reply.status == 200
    assert reply.codes == (("200",) if example.shape else ("204",))
    assert reply.keys == ("",)
    match example.shape:
        case "":
            assert reply.data is None
        case "id":
            assert list(reply.fields) == ["id"]
            assert isinstance(reply.fields["id"], int)
        case "row":
            assert isinstance(reply.data, dict)
        case "rows":
            assert isinstance(reply.data, list)
            assert reply.rows
            assert all(isinstance(row, dict) for row in reply.rows)
        case _:
            assert reply.data == ["12015550120", "12015550121", "12015550122"]


async def test_an_unknown_parameter_is_refused_by_name() -> None:
    async with enswitch() as door:
        for function, example in EXAMPLES.items():
            reply = await door.call(function, {**example.parameters, "frobnicate": "1"}, example.who)
            assert (function, reply.status, reply.codes, reply.keys) == (function, 200, ("400",), ("frobnicate",))


async def test_a_wrong_type_is_refused_by_name() -> None:
    async with enswitch() as door:
        for function, declaration in (await declared(door)).items():
            fields = parameters_of(declaration)
            typed = [(str(field["name"]), WRONG[str(field["type"])]) for field in fields if field["type"] in WRONG]
            enumerated = [(str(field["name"]), "no such choice") for field in fields if "choices" in field]
            for name, wrong in typed + enumerated:
                reply = await door.call(function, {**EXAMPLES[function].parameters, name: wrong}, who="admin")
                assert set(reply.codes) == {"400"}, (function, name, reply)
                assert name in reply.keys, (function, name, reply)


async def test_a_missing_required_parameter_is_refused_by_name() -> None:
    async with enswitch() as door:
        for function, declaration in (await declared(door)).items():
            example = EXAMPLES[function]
            for name in [str(field["name"]) for field in parameters_of(declaration) if field["required"]]:
                given = {other: value for other, value in example.parameters.items() if other != name}
                reply = await door.call(function, given, example.who)
                assert (function, reply.codes, reply.keys) == (function, ("400",), (name,))


async def test_nobody_gets_in_without_credentials() -> None:
    async with enswitch() as door:
        for function in EXAMPLES.keys() - PUBLIC:
            reply = await door.call(function, EXAMPLES[function].parameters, who=None)
            assert (function, reply.status, reply.codes, reply.data) == (function, 200, ("401",), None)


async def test_a_read_only_role_reads_and_never_writes() -> None:
    async with enswitch() as door:
        before = await snapshot(door)
        functions = await declared(door)
        writing = [function for function in EXAMPLES if functions[function]["writes"]]
        for function in writing:
            reply = await door.call(function, EXAMPLES[function].parameters, who="read_only")
            assert (function, reply.codes) == (function, ("402",))
        assert await snapshot(door) == before
        for function in EXAMPLES.keys() - set(writing):
            if EXAMPLES[function].who == "customer":
                reply = await door.call(function, EXAMPLES[function].parameters, who="read_only")
                assert (function, reply.code) == (function, "200")


@pytest.mark.parametrize("function", DRY_RUN)
async def test_a_documented_dry_run_checks_and_changes_nothing(function: str) -> None:
    example = EXAMPLES[function]
    async with enswitch() as door:
        before = await snapshot(door)
        dry: Parameters = {**example.parameters, "validation": 1}
        reply = await door.call(function, dry, example.who)
        assert (reply.codes, reply.data) == (("201",), None)
        assert await snapshot(door) == before
        refused = await door.call(function, {**dry, "frobnicate": 1}, example.who)
        assert refused.code == "400"
