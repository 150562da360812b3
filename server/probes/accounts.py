"""Probes of several accounts: a token reaches its own alone, and an approval counts on one of them alone."""

from typing import Any, Final

from sandbox.accounts import other_accounts
from server.probes.bench import Bench
from server.probes.calls import ORDER, ORDERS, SENDER, order, pending_action
from server.probes.probe import Probe, expect

OWN: Final = "clinic"
OTHER: Final = "voicetel"


async def _another_account(bench: Bench) -> str:
    since = await bench.providers.since_now()
    call = order("+12125550141")
    elsewhere, here = {**call, "account": OTHER}, {**call, "account": OWN}
    step = {"operation": ORDER, "arguments": call, "account": OTHER}
    reaching = {
        "called": (ORDER, elsewhere),
        "called through another tool": ("call_write_operation", {"operation": ORDER, "arguments": elsewhere}),
        "named by a step of a plan": ("propose_plan", {"title": "Numbers", "steps": [step]}),
    }
    async with bench.restarted_for(_settings(bench), ("alice", "bob")) as (alice, bob):
        refused = {how: await bob.call(tool, arguments) for how, (tool, arguments) in reaching.items()}
        shown = await bob.call("list_all_numbers", {"limit": 100})
        asked = await alice.call(ORDER, here)
        if asked.waits:
            await bench.operator.approve(asked.action)
        other, unnamed = await alice.call(ORDER, elsewhere), await alice.call(ORDER, call)
    for how, reply in refused.items():
        expect(reply.error in {"BadArguments", "BadPlan"}, f"an account out of the token's reach could be {how}")
    expect(SENDER not in shown.text, "a view showed an account out of the token's reach")
    expect(other.waits and other.action != pending_action(asked), "the approval on one account counted on another")
    expect(unnamed.error == "AccountNotNamed", "a call that names no account was taken")
    sent = len(await since.requests("POST", ORDERS))
    expect(not sent, f"{sent} orders were sent")
    return f"{len(reaching)} ways to an account out of reach refused, and one approval not used on another: 0 orders"


def _settings(bench: Bench) -> dict[str, Any]:
    """Build the settings of two accounts, of which Bob's token reaches one."""
    clinic = {"provider": "voicetel", **other_accounts(bench.providers.url)["voicetel"]}
    bob = {"token": bench.tokens["bob"], "accounts": [OWN]}
    tokens = {"alice": bench.tokens["alice"], "bob": bob}
    return {"accounts": {OWN: clinic}, "http": {"tokens": tokens}, "policy": {"paid": "ask"}}


PROBES = (
    Probe(
        name="another-account",
        tries="A token's holder names an account out of its reach, and an approval is used on another account.",
        matters="Accounts that are kept apart in the list of tools only, or an approval that holds on all of them.",
        run=_another_account,
    ),
)
