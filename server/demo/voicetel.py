"""The first part of the demo: an order, a declined release, a forward, and eight texts with one yes at VoiceTel."""

from typing import Any, Final

from mcp import Client

from sandbox.voicetel import seed
from server.demo.session import PASSCODE, DemoSession

SENDER: Final = "+12015550142"
CUSTOMERS: Final = "to,name\n" + "".join(
    f"+1212555{number:04d},{name}\n"
    for number, name in enumerate(("Ann", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus", "Hal"), 110)
)


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
        """Run all steps in order.

        Raises:
            DemoFailed: A step did not do what it says.
        """
        await self.operate("approvals", "passcode", typed=PASSCODE)
        async with self.session() as client:
            await self._list_tools(client)
            numbers = await self._search(client)
            await self._order(client, numbers)
            await self._refuse_release(client)
            await self._forward(client, numbers[0])
            await self._text_customers(client)
            await self._show_record(client)

    async def _list_tools(self, client: Client) -> None:
        tools = (await client.list_tools()).tools
        self.check("voicetel_order_numbers" in {tool.name for tool in tools}, "the tools are listed")
        self.say(f"The assistant sees {len(tools)} tools, all typed and annotated.")

    async def _search(self, client: Client) -> list[str]:
        found = await self.call(client, "find_available_numbers", {"starts_with": "415", "limit": 3})
        numbers = [row["number"] for row in found["numbers"]][:2]
        self.check(len(numbers) == 2, "two numbers are found")
        self.say(f"It searches for numbers in area code 415: {', '.join(numbers)} are available.")
        return numbers

    async def _order(self, client: Client, numbers: list[str]) -> None:
        self.say("It orders both. The guard gets a quote and asks a person:")
        receipt = await self.call(client, "voicetel_order_numbers", {"numbers": numbers})
        self.check(receipt["numbers_ordered"] == numbers, "both numbers are ordered")
        charged = [row["amount"] for row in await self.ledger()]
        self.check(charged == ["2.00"], f"the provider charged once, 2.00 (it charged {charged})")
        order = f"action {receipt['action']}, order {receipt['order_id']}"
        self.say(f"Receipt: {order}, {receipt['amount_charged']} charged once.")

    async def _refuse_release(self, client: Client) -> None:
        owned = (await self.call(client, "list_all_numbers", {"limit": 1}))["numbers"][0]["number"]
        first = await client.call_tool("voicetel_release_number", {"number": owned})
        waiting: dict[str, Any] = first.structured_content or {}
        self.check(first.is_error and waiting.get("state") == "proposed", "a release waits for the operator")
        self.say(f"It tries to release {owned}. That cannot be undone, so only the operator may approve it.")
        await self.operate("approvals", "decline", waiting["action"], typed=PASSCODE)
        still = await self._number(client, owned)
        self.check(still["number"] == owned, "the number is still there")
        self.say(f"The operator declines on the command line; {owned} is still there.")

    async def _forward(self, client: Client, number: str) -> None:
        self.say("It forwards the first new number. That sends live calls elsewhere, so it needs approval:")
        await self.call(client, "voicetel_set_forward", {"number": number, "destination": "+12125550142"})
        now = await self._number(client, number)
        self.check(now.get("forward_to") == "+12125550142", "the forward is set")
        self.say(f"Calls to {number} now go to {now['forward_to']}.")

    async def _text_customers(self, client: Client) -> None:
        text = {"from_number": SENDER, "to_number": "{{to}}", "text": "Hello {{name}}, we are closed on Friday."}
        step = {"operation": "voicetel_send_message", "arguments": text, "for_each": CUSTOMERS}
        self.say("It texts eight customers from a CSV list. That is one job, so it needs one approval:")
        job = {"title": "Tell eight customers that we are closed", "steps": [step]}
        plan = await self.call(client, "propose_plan", job)
        done = await self.call(client, "run_plan", {"plan_id": plan["plan"]}, show_progress=True)
        self.check([step["state"] for step in done["steps"]] == ["done"] * 8, "all eight texts are sent")
        charged = [row["amount"] for row in await self.ledger()]
        self.check(len(charged) == 9, f"each text is charged once (the provider charged {charged})")
        self.say(
            f"Plan {plan['plan']}: eight texts sent, {plan['total'][0]} in all, each on the record as its own action."
        )

    async def _show_record(self, client: Client) -> None:
        self.say("All actions and how they ended:")
        self._console.print(await self.operate("actions", "list"), markup=False, highlight=False)
        account = await self.call(client, "account_overview", {})
        balance = account["balances"][0]["amount"]
        self.check(balance == "$247.92", f"the balance is $247.92 (it is {balance})")
        self.say(f"Balance: {balance}.")

    async def _number(self, client: Client, number: str) -> dict[str, Any]:
        """Read a number with call_read_operation, which also reaches operations that are not listed as tools."""
        read = {"operation": "voicetel_get_number", "arguments": {"number": number}}
        return await self.call(client, "call_read_operation", read)
