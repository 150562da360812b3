"""How the tests get in: a sandbox in process, its people, and answers taken apart."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import httpx2

from sandbox.app import create_sandbox
from sandbox.enswitch.provider import Enswitch

START = datetime(2026, 5, 18, 12, tzinfo=UTC)
Parameters = Mapping[str, str | int]
Rows = list[dict[str, object]]


@dataclass(frozen=True)
class Reply:
    """An answer: its codes, the parameters at fault, its data."""

    status: int
    codes: tuple[object, ...]
    keys: tuple[str, ...]
    data: object

    @property
    def code(self) -> object:
        """The first code."""
        return self.codes[0]

    @property
    def rows(self) -> Rows:
        """The data of a list."""
        return cast("Rows", self.data)

    @property
    def strings(self) -> list[str]:
        """The data of a list of strings."""
        return cast("list[str]", self.data)

    @property
    def fields(self) -> dict[str, object]:
        """The data of a row."""
        return cast("dict[str, object]", self.data)


@dataclass(frozen=True)
class Door:
    """A client of one sandbox."""

    http: httpx2.AsyncClient
    people: dict[str, dict[str, str]]

    async def call(self, function: str, parameters: Parameters | None = None, who: str | None = "customer") -> Reply:
        """Call a function with a POST form and a person's token, or without credentials."""
        credentials = {} if who is None else {"auth_token": self.people[who]["auth_token"]}
        return await self.post(function, {**credentials, **(parameters or {})})

    async def post(self, function: str, parameters: Parameters) -> Reply:
        """Call a function with exactly this form."""
        return read(await self.http.post(f"/enswitch/api/json/{function}/", data=dict(parameters)))

    async def get(self, function: str, query: str) -> Reply:
        """Call a function with exactly this query string."""
        return read(await self.http.get(f"/enswitch/api/json/{function}/?{query}"))

    async def control(self, path: str) -> object:
        """Read something under /_control."""
        return (await self.http.get(f"/_control/{path}")).json()

    async def table(self, name: str) -> Rows:
        """Return a table as it is."""
        return cast("Rows", await self.control(f"enswitch/tables/{name}"))

    async def ledger(self) -> list[tuple[str, int, str]]:
        """Return what was charged: what, how many, the amount."""
        entries = cast("list[dict[str, object]]", await self.control("ledger"))
        return [(str(entry["what"]), cast("int", entry["quantity"]), str(entry["amount"])) for entry in entries]

    async def balance(self, customer: int) -> str:
        """Return a customer's balance."""
        return next(str(row["balance"]) for row in await self.table("customers") if row["id"] == customer)

    async def set(self, **settings: object) -> None:
        """Change settings of the installation."""
        answer = await self.http.put("/_control/enswitch/settings", json=settings)
        assert answer.status_code == 200, answer.text

    async def advance(self, seconds: int) -> None:
        """Move the clock."""
        await self.http.post("/_control/clock", json={"seconds": seconds})


def read(answer: httpx2.Response) -> Reply:
    """Take an answer apart."""
    envelope = answer.json()
    responses = envelope["responses"]
    assert all(response.keys() == {"code", "key", "message"} for response in responses)
    return Reply(
        answer.status_code,
        tuple(response["code"] for response in responses),
        tuple(response["key"] for response in responses),
        envelope.get("data"),
    )


@asynccontextmanager
async def enswitch(version: str = "4.4") -> AsyncGenerator[Door]:
    """Open a fresh installation of this version."""
    app = create_sandbox(start=START, providers=(Enswitch,))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sandbox") as http:
        people = (await http.get("/_control/providers")).json()["enswitch"]["people"]
        door = Door(http, people)
        if version != "4.4":
            await door.set(version=version)
        yield door
