"""Routes under `/_control/enswitch`: settings of the installation, what clients did wrong, what strangers do."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.clock import iso
from sandbox.enswitch.fields import VERSIONS, Row, Version
from sandbox.enswitch.function import Function
from sandbox.enswitch.state import Settings, Sighting, State

KNOWN = {f"{major}.{minor}": (major, minor) for major, minor in VERSIONS}


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SettingsOrder(_Order):
    """Body of `PUT settings`; what is left out stays as it is."""

    version: str | None = None
    token_lifetime: int | None = Field(default=None, ge=0)
    ignore_undocumented_validation: bool | None = None
    integer_codes: bool | None = None
    mirror_status: bool | None = None
    refuse_topups: bool | None = None


class BalanceOrder(_Order):
    """Body of `PUT balance/{customer}`."""

    balance: Decimal


class MessageOrder(_Order):
    """Body of `POST messages`: a stranger leaves a voicemail, or a text or fax comes in."""

    mailbox: str
    type: str = Field(default="voicemail", pattern="^(fax|text|voicemail)$")
    callerid: str
    callername: str = ""
    transcription: str = ""
    duration: int = 20


class Controls:
    """The handlers; they need no credentials."""

    def __init__(self, state: Callable[[], State], functions: Sequence[Function]) -> None:
        self._state = state
        self._functions = functions

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route("/settings", self.show_settings, methods=["GET"]),
            Route("/settings", self.change_settings, methods=["PUT"]),
            Route("/leaks", self.list_leaks, methods=["GET"]),
            Route("/ignored_validations", self.list_ignored_validations, methods=["GET"]),
            Route("/functions", self.list_functions, methods=["GET"]),
            Route("/tables", self.show_tables, methods=["GET"]),
            Route("/tables/{table}", self.show_table, methods=["GET"]),
            Route("/balance/{customer:int}", self.set_balance, methods=["PUT"]),
            Route("/messages", self.receive_message, methods=["POST"]),
        ]

    async def show_settings(self, request: Request) -> JSONResponse:
        """The settings."""
        return JSONResponse(_settings(self._state().settings))

    async def change_settings(self, request: Request) -> JSONResponse:
        """Change some of the settings."""
        try:
            order = SettingsOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        settings = self._state().settings
        for name, value in order.model_dump(exclude_none=True, exclude={"version"}).items():
            setattr(settings, name, value)
        if order.version is not None:
            version: Version | None = KNOWN.get(order.version)
            if version is None:
                return JSONResponse({"error": f"version is one of {', '.join(KNOWN)}"}, status_code=400)
            settings.version = version
        return JSONResponse(_settings(settings))

    async def list_leaks(self, request: Request) -> JSONResponse:
        """Requests that carried credentials in their URL; the values are not kept."""
        return _sightings(self._state().leaks)

    async def list_ignored_validations(self, request: Request) -> JSONResponse:
        """Requests that asked for a dry run where there is none; the function acted."""
        return _sightings(self._state().ignored_validations)

    async def list_functions(self, request: Request) -> JSONResponse:
        """Every function of the version in force, with its parameters and the document it rests on."""
        version = self._state().settings.version
        return JSONResponse([each.to_wire(version) for each in self._functions if each.since <= version], 200)

    async def show_tables(self, request: Request) -> JSONResponse:
        """Every database table, for comparing before and after."""
        return JSONResponse({name: _plain(rows) for name, rows in self._state().tables.items()})

    async def show_table(self, request: Request) -> JSONResponse:
        """A database table as it is, secrets included."""
        rows = self._state().tables.get(request.path_params["table"])
        if rows is None:
            return JSONResponse({"error": "no such table"}, status_code=404)
        return JSONResponse(_plain(rows))

    async def set_balance(self, request: Request) -> JSONResponse:
        """Set a customer's balance, without a transaction and without the ledger."""
        customer = self._state().find("customers", request.path_params["customer"])
        if customer is None:
            return JSONResponse({"error": "no such customer"}, status_code=404)
        try:
            customer["balance"] = BalanceOrder.model_validate_json(await request.body()).balance
        except ValidationError as error:
            return _refused(error)
        return JSONResponse({"balance": str(customer["balance"])})

    async def receive_message(self, request: Request) -> JSONResponse:
        """Let a message come into a mailbox's INBOX."""
        try:
            order = MessageOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        if self._state().find("mailboxes", order.mailbox) is None:
            return JSONResponse({"error": "no such mailbox"}, status_code=404)
        return JSONResponse({"name": leave_message(self._state(), order)}, status_code=201)


MIME_TYPES = {"voicemail": "audio/x-wav", "fax": "image/tiff", "text": "text/plain"}


def leave_message(state: State, order: MessageOrder, age: int = 0, *, listened: bool = False) -> str:
    """Put a message at the end of a mailbox's INBOX and return its name.

    inferred: the columns apart from name, time and mimetype, above all `transcription`.
    """
    position = 1 + sum(1 for _ in state.where("messages", mailbox=order.mailbox, folder="INBOX"))
    row = state.insert(
        "messages",
        mailbox=order.mailbox,
        folder="INBOX",
        name=f"msg{position:04d}",
        type=order.type,
        mimetype=MIME_TYPES[order.type],
        callerid=order.callerid,
        callername=order.callername,
        time=state.now() - age,
        duration=order.duration if order.type == "voicemail" else 0,
        listened=int(listened),
        transcription=order.transcription,
        file=order.transcription if order.type == "text" else f"[{order.type} from {order.callerid}]",
    )
    return row.text("name")


def _plain(rows: Sequence[Row]) -> list[dict[str, int | str]]:
    return [{name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()} for row in rows]


def _settings(settings: Settings) -> dict[str, object]:
    return {**settings.__dict__, "version": ".".join(map(str, settings.version))}


def _sightings(sightings: Sequence[Sighting]) -> JSONResponse:
    rows = [
        {"at": iso(each.at), "function": each.function, "method": each.method, "parameters": list(each.parameters)}
        for each in sightings
    ]
    return JSONResponse({"count": len(rows), "requests": rows})


def _refused(error: ValidationError) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)
