"""What an example request is, and the ways to what it needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2

from tests.sandbox.routee.doors import BRITISH, GREEK, WHOLE_WEEK, Json, advance, control, got, posted

Prepare = Callable[[httpx2.AsyncClient], Awaitable[str]]

RANGE = {"startDate": WHOLE_WEEK["dateStart"], "endDate": WHOLE_WEEK["dateEnd"]}
FILTER = [{"fieldName": "to", "searchTerm": "+30", "searchOperator": "starts_with"}]
MESSAGE = {"from": "Bluewater", "to": GREEK, "body": "Hello"}
BULK = {"from": "Bluewater", "to": [GREEK, BRITISH], "body": "Hello"}
SAY = {"type": "SAY", "message": {"text": "Hello", "language": "en-GB"}}
TALK = {"from": "447520630142", "to": {"phone": GREEK}, "dialPlan": {"verbs": [SAY]}}
ENDLESS_TALK = {**TALK, "to": {"phone": "+306970000015"}}
SPEECH = {"from": "447520630142", "to": [GREEK], "message": {"text": "Hello", "language": "en-GB", "gender": "female"}}
LATER = "2026-05-20T09:00:00Z"
VERIFY = {"method": "sms", "type": "code", "recipient": GREEK, "template": "Your code is @@pin"}


@dataclass(frozen=True)
class Example:
    """A request that succeeds; `prepare` makes what it needs and returns its path."""

    method: str
    template: str
    fields: str = ""
    body: Json = None
    query: dict[str, str] | None = None
    form: dict[str, str] | None = None
    prepare: Prepare | None = None
    items: str = ""
    """Fields of each element of `content`, of an array, or of the one array in the answer."""

    @property
    def name(self) -> str:
        """How the test of it is called."""
        return f"{self.method} {self.template}"

    @property
    def takes(self) -> str:
        """What its body is: object, array or nothing."""
        if isinstance(self.body, dict):
            return "object"
        return "array" if isinstance(self.body, list) else "nothing"

    async def send(
        self, client: httpx2.AsyncClient, path: str, *, body: Json = None, query: Json = None, form: Json = None
    ) -> httpx2.Response:
        """Send it, with parts replaced."""
        return await client.request(
            self.method,
            path,
            params=query if query is not None else self.query,
            json=body if body is not None else self.body,
            data=form if form is not None else self.form,
        )

    async def path(self, client: httpx2.AsyncClient) -> str:
        """Return the path of the request, relative to the provider."""
        return await self.prepare(client) if self.prepare else self.template[1:]


async def seeded(client: httpx2.AsyncClient, what: str, position: int = 0) -> str:
    """Return a seeded identifier."""
    listing = (await control(client, "GET", "providers"))["routee"][what]
    return str(list(listing)[position])


def at(path: str) -> Prepare:
    """Prepare a path that is known beforehand."""

    async def prepare(client: httpx2.AsyncClient) -> str:
        return path

    return prepare


def of_seed(path: str, what: str, position: int = 0) -> Prepare:
    """Prepare a path with a seeded identifier."""

    async def prepare(client: httpx2.AsyncClient) -> str:
        return path.format(await seeded(client, what, position))

    return prepare


def of_new(path: str, where: str, body: Json, field: str = "trackingId", wait: float = 0) -> Prepare:
    """Prepare a path with the identifier of something that is made first."""

    async def prepare(client: httpx2.AsyncClient) -> str:
        made = await posted(client, where, body)
        if wait:
            await advance(client, wait)
        return path.format(made[field])

    return prepare


def of_call(path: str, *then: tuple[str, Json]) -> Prepare:
    """Prepare a path with the identifier of an ongoing call, after some commands to it."""

    async def prepare(client: httpx2.AsyncClient) -> str:
        talk = await posted(client, "voice/conversation", ENDLESS_TALK)
        await advance(client, 6)
        call = (await got(client, f"voice/tracking/conversation/{talk['trackingId']}"))["content"][0]["messageId"]
        for command, body in then:
            await posted(client, f"voice/conversation/{call}/{command}", body)
        return path.format(call)

    return prepare


async def of_recording(client: httpx2.AsyncClient) -> str:
    """Make a recording and return its path."""
    path = await of_call("voice/conversation/{}", ("record", {}))(client)
    await advance(client, 5)
    await client.delete(f"{path}/record")
    call = path.removeprefix("voice/conversation/")
    recording = (await got(client, f"voice/tracking/{call}"))["recordings"][0]
    return f"recordings/my/downloads/{recording['trackingId']}"


async def of_session(client: httpx2.AsyncClient) -> str:
    """Begin a session and return its path."""
    sender = await seeded(client, "viber_senders")
    await posted(client, "viber", {**viber(sender), "isSessionMessage": True})
    sessions = await posted(client, "viber/session", {"phoneNumber": GREEK})
    return f"viber/session/{sessions['content'][0]['sessionId']}"


async def of_emptied_pool(client: httpx2.AsyncClient) -> str:
    """Take a number out of the seeded pool and return the path of the number in the pool."""
    pool = await seeded(client, "pools")
    await client.delete(f"pools/my/{pool}/numbers/447520630142")
    return f"pools/my/{pool}/numbers/447520630142"


def viber(sender: str) -> dict[str, Json]:
    """Build a Viber message."""
    return {"senderInfoTrackingId": sender, "to": GREEK, "body": {"text": "Hello"}}


NO_SUCH_PORT = "http://127.0.0.1:1/hook"
"""A loopback address where nobody listens."""

SENDER = "5d10c2f7e4b0c1a2b3d4e5f6"
MANY_VIBER = {**viber(SENDER), "to": [GREEK]}
FLOW = {"flow": [{"type": "Sms", "order": 1, "from": "Bluewater", "to": GREEK, "message": {"body": "Hello"}}]}
CONTACT_ID = "5e2ac872-b1a0-5d12-9137-6d2def8ca6e6"
GROUP = "groups/my/Recall"
