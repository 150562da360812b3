"""The first part of the demo: four questions about an order, a forward, eight texts and a release at VoiceTel.

Each may be answered with no. Then the step shows what a refusal looks like, and that nothing happened.
"""

from typing import Any

import anyio
from mcp import Client

from sandbox.voicetel import seed
from server.demo.session import PASSCODE, DemoSession, SaidNo

OWNED = "+12015550142"
ELSEWHERE = "+12125550142"

CUSTOMERS = "to,name\n" + "".join(
    f"+1212555{number:04d},{name}\n"
    for number, name in enumerate(("Ann", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus", "Hal"), 110)
)
"""CSV as a spreadsheet writes it."""


def settings(url: str) -> dict[str, str]:
    """Build settings for one account at the simulated VoiceTel."""
    return {
        "RINGFENCE_VOICETEL__API_KEY": seed.API_KEY,
        "RINGFENCE_VOICETEL__BASE_URL": f"{url}/voicetel",
        "RINGFENCE_TOOLSETS": "default",
    }


class VoiceTelDemo(DemoSession):
    """Checks that each step does what it says."""

    async def run(self) -> None:
        """Run all steps in order; the operator's passcode is set while the assistant begins.

        Raises:
            DemoFailed: A step did not do what it says.
        """
        async with anyio.create_task_group() as group, self.session() as client:
            has_passcode = anyio.Event()

            async def set_passcode() -> None:
                await self.operate("approvals", "passcode", typed=PASSCODE)
                has_passcode.set()

            group.start_soon(set_passcode)
            numbers = await self._search(client)
            forwarded = numbers[0] if await self._order(client, numbers) else OWNED
            await self._forward(client, forwarded)
            await self._text_customers(client)
            await self._release(client, has_passcode)
            await self._show_record(client)

    async def _search(self, client: Client) -> list[str]:
        found = await self.call(client, "find_available_numbers", {"starts_with": "415", "limit": 3})
        numbers = [row["number"] for row in found["numbers"]][:2]
        self.check(len(numbers) == 2, "two numbers are found")
        self.say(f"You ask for two numbers in San Francisco. The assistant finds {numbers[0]} and {numbers[1]}.")
        return numbers

    async def _order(self, client: Client, numbers: list[str]) -> bool:
        self.say("It orders both. That costs money, so Ringfence reads the price and asks you (question 1 of 4):")
        try:
            receipt = await self.call(client, "voicetel_order_numbers", {"numbers": numbers})
        except SaidNo:
            self.check(await self.ledger() == [], "nothing is charged")
            self.say("You said no: nothing was sent and nothing was charged. It forwards a number you have instead.")
            return False
        self.check(receipt["numbers_ordered"] == numbers, "both numbers are ordered")
        charged = [row["amount"] for row in await self.ledger()]
        self.check(charged == ["2.00"], f"the provider charged once, 2.00 (it charged {charged})")
        self.say(
            f"Receipt {receipt['action']}: order {receipt['order_id']}, {receipt['amount_charged']}, charged once."
        )
        return True

    async def _forward(self, client: Client, number: str) -> None:
        before = await self._number(client, number)
        self.say(f"It forwards {number}. Live calls go elsewhere, so you are asked (question 2 of 4):")
        try:
            await self.call(client, "voicetel_set_forward", {"number": number, "destination": ELSEWHERE})
        except SaidNo:
            self.check(await self._number(client, number) == before, "the number is as it was")
            self.say(f"You said no: calls to {number} ring where they rang.")
            return
        now = await self._number(client, number)
        self.check(now.get("forward_to") == ELSEWHERE, "the forward is set")
        self.say(f"Calls to {number} now go to {now['forward_to']}.")

    async def _text_customers(self, client: Client) -> None:
        text = {"from_number": OWNED, "to_number": "{{to}}", "text": "Hello {{name}}, we are closed on Friday."}
        step = {"operation": "voicetel_send_message", "arguments": text, "for_each": CUSTOMERS}
        before = len(await self.ledger())
        self.say("It texts eight customers from a CSV list: one job, one yes (question 3 of 4):")
        try:
            job = {"title": "Tell eight customers that we are closed", "steps": [step]}
            plan = await self.call(client, "propose_plan", job)
        except SaidNo:
            self.check(len(await self.ledger()) == before, "no text is charged")
            self.say("You said no: none of the eight was sent.")
            return
        done = await self.call(client, "run_plan", {"plan_id": plan["plan"]}, show_progress=True)
        self.check([step["state"] for step in done["steps"]] == ["done"] * 8, "all eight texts are sent")
        charged = len(await self.ledger()) - before
        self.check(charged == 8, f"each text is charged once (the provider charged {charged} times)")
        self.say(
            f"Plan {plan['plan']}: eight texts for {plan['total'][0]}, each on the record as an action of its own."
        )

    async def _release(self, client: Client, has_passcode: anyio.Event) -> None:
        first = await client.call_tool("voicetel_release_number", {"number": OWNED})
        waiting: dict[str, Any] = first.structured_content or {}
        self.check(first.is_error and waiting.get("state") == "proposed", "a release waits for the operator")
        self.say(
            f"It tries to release {OWNED}, which cannot be undone. So only the operator decides, with a passcode that "
            "the assistant never sees. You are the operator now (question 4 of 4):"
        )
        agreed = await self.ask(f"Release {OWNED} for good?\n\nAction {waiting['action']}.", by_itself=False)
        await has_passcode.wait()
        await self.operate("approvals", "approve" if agreed else "decline", waiting["action"], typed=PASSCODE)
        if agreed:
            again = await client.call_tool("voicetel_release_number", {"number": OWNED})
            self.check(not again.is_error, "the number is released")
            self.say(f"You approved it: {OWNED} is released, once, and no call brings it back.")
            return
        looked = await client.call_tool("get_action", {"action_id": waiting["action"]})
        self.show_refusal(str(getattr(looked.content[0], "text", "")))
        self.check((await self._number(client, OWNED))["number"] == OWNED, "the number is still there")
        self.say(f"You declined, and {OWNED} is still there.")

    async def _show_record(self, client: Client) -> None:
        listed = await client.call_tool("list_actions", {})
        lines = str(getattr(listed.content[0], "text", "")).splitlines()
        self.say("Every call is on the record, with who decided:")
        for line in lines:
            self._console.print(f"      {line}", markup=False, highlight=False)

    async def _number(self, client: Client, number: str) -> dict[str, Any]:
        """Read a number with call_read_operation, which also reaches operations that are not listed as tools."""
        read = {"operation": "voicetel_get_number", "arguments": {"number": number}}
        return await self.call(client, "call_read_operation", read)
