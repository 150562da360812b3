"""The second part of the demo: a campaign at Routee, a route at Convirza, and a plan route at Enswitch."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from mcp import Client

from sandbox.accounts import COUNTRIES, simulated_accounts
from server.demo.session import DemoSession, SaidNo

TO = ["+306912345678", "+4915123456789"]
SENDER = "Harbor"
ROUTE = 12301
PLAN = 2
RINGS_AT, INSTEAD = "+12015550142", "+12125550142"


def settings(url: str) -> dict[str, str]:
    """Build settings for an account at every simulated provider."""
    variables = {
        f"RINGFENCE_{provider}__{name}".upper(): value
        for provider, account in simulated_accounts(url).items()
        for name, value in account.items()
    }
    countries = json.dumps(["US", "CA", *COUNTRIES])
    return {**variables, "RINGFENCE_TOOLSETS": "all", "RINGFENCE_DESTINATIONS__COUNTRIES": countries}


class OtherProvidersDemo(DemoSession):
    """Checks that each step does what it says."""

    async def run(self) -> None:
        """Run all steps in order.

        Raises:
            DemoFailed: A step did not do what it says.
        """
        async with self.session() as client:
            for provider, step in (
                ("Routee", self._campaign),
                ("Convirza", self._reroute_and_undo),
                ("Enswitch", self._steer),
            ):
                try:
                    await step(client)
                except SaidNo:
                    self.say(f"You said no: that call did not reach {provider}.")

    async def _campaign(self, client: Client) -> None:
        campaign = await self._schedule(client)
        await self._watch(client, campaign)
        await self._change(client, campaign)
        await self._delete(client, campaign)

    async def _schedule(self, client: Client) -> dict[str, Any]:
        words = {"to": TO, "sender": SENDER, "text": "We open at ten on Saturday."}
        analysis = await self.call(client, "routee_analyze_campaign", words)
        self.check(analysis["number_of_recipients"] == len(TO), "the analysis counts the recipients")
        countries = ", ".join(f"{count} in {country}" for country, count in analysis["recipients_per_country"].items())
        self.say(f"Routee: the assistant analyses a campaign before it sends anything: {countries}, 1 part each.")
        self.say("It schedules the campaign. The guard asks, with the price from the analysis:")
        when = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0).isoformat()
        campaign = {**words, "when": when, "campaign_name": "Saturday opening"}
        receipt = await self.call(client, "routee_send_campaign", campaign)
        self.check(receipt["campaign_state"] == "Scheduled", "the campaign is scheduled")
        return {**campaign, "campaign_id": receipt["tracking_id"]}

    async def _watch(self, client: Client, campaign: dict[str, Any]) -> None:
        watched = {"campaign_id": campaign["campaign_id"], "seconds": 1}
        seen = await self.call(client, "routee_watch_campaign", watched, show_progress=True)
        self.check((seen["state"], seen["ended"]) == ("Scheduled", False), "it waits for its time")
        self.say(f"It watches the campaign, which waits for {seen['scheduled_for']}; nothing was charged yet.")
        await self._nothing_is_charged()

    async def _change(self, client: Client, campaign: dict[str, Any]) -> None:
        self.say("It changes the text. Routee replaces the whole campaign, and the question says what that resets:")
        changed = {**campaign, "text": "We open at nine on Saturday."}
        receipt = await self.call(client, "routee_update_campaign", changed)
        self.check(receipt["text"] == changed["text"], "the text is changed")
        self.check(receipt["campaign_state"] == "Scheduled", "it is still scheduled: a time is always sent along")

    async def _delete(self, client: Client, campaign: dict[str, Any]) -> None:
        self.say("It cancels the campaign:")
        await self.call(client, "routee_delete_campaign", {"campaign_id": campaign["campaign_id"]})
        gone = await client.call_tool("routee_get_campaign", {"campaign_id": campaign["campaign_id"]})
        self.check(gone.is_error, "the campaign is gone")
        await self._nothing_is_charged()
        self.say("The campaign is gone, and Routee charged nothing.")

    async def _reroute_and_undo(self, client: Client) -> None:
        before = await self._rings_at(client)
        self.check(before == RINGS_AT, f"the route rings at {RINGS_AT}")
        self.say("Convirza: the assistant reroutes a tracking number. The question shows the current destination:")
        change = {"route_id": ROUTE, "config": {"ring_to": INSTEAD}}
        receipt = await self.call(client, "convirza_update_provisioned_route", change)
        self.check(await self._rings_at(client) == INSTEAD, "the route rings elsewhere")
        self.say("It undoes the change, which is a guarded call like any other:")
        await self.call(client, "undo_action", {"action_id": receipt["action"]})
        self.check(await self._rings_at(client) == RINGS_AT, "the route rings where it did")
        self.say(f"The route rings at {RINGS_AT} again.")

    async def _rings_at(self, client: Client) -> str:
        route = await self.call(client, "convirza_get_provisioned_route", {"route_id": ROUTE})
        return str(route["config"]["ring_to"])

    async def _steer(self, client: Client) -> None:
        route = {"plan": PLAN, "called_prefix": "44", "allow": "forbid", "description": "No calls to Britain"}
        self.say("Enswitch: the assistant validates a plan route with a dry run, then creates it:")
        tried = await self.call(client, "enswitch_create_plan_route", {**route, "dry_run": True})
        self.check(tried["validated"] is True, "the route is found valid")
        self.check(await self._prefixes(client) == [], "the dry run created nothing")
        made = await self.call(client, "enswitch_create_plan_route", route)
        self.check(await self._prefixes(client) == ["44"], "the route is created")
        self.say(f"Route {made['route']} now forbids calls to 44 on plan {PLAN}.")

    async def _prefixes(self, client: Client) -> list[str]:
        listed = await self.call(client, "enswitch_list_plan_routes", {"plan": PLAN})
        return [str(route["called_prefix"]) for route in listed["routes"]]

    async def _nothing_is_charged(self) -> None:
        charges = [row for row in await self.ledger() if row["provider"] == "routee"]
        self.check(charges == [], f"Routee charged nothing (it charged {charges})")
