"""Convirza AI voice agents, which talk to callers. The documents show methods only: paths and names are inferred."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.fields import AnsweredNumber, AnsweredTime
from clients.operation import UNREAD, Answer, ChangesSomething, Operation, Undo, Verification, put_back, verify_removal
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import EmptyIsNone, FurtherFields, Id, Number, Word, body, numbers_in
from tools.convirza.grades import ONLY_METHOD, ONLY_METHOD_OF_ITEM
from tools.convirza.paging import Listing, PagedOperation
from tools.convirza.updates import (
    describe_full_update,
    fields_of,
    is_new,
    restore_settings,
    same_settings,
)

SPEAKS: Final = "Routes that use the agent let it talk to callers in these words from now on."


class VoiceAgent(Answer):
    """An AI voice agent."""

    voice_agent_id: int | None = None
    name: str | None = Field(default=None, alias="agent_name")
    status: str | None = Field(default=None, alias="agent_status")
    org_unit_id: int | None = None
    greeting: str | None = None
    prompt: str | None = None
    voice: str | None = None
    language: str | None = None
    transfer_number: Annotated[AnsweredNumber | None, EmptyIsNone] = None
    created: AnsweredTime | None = None


NOT_SETTABLE: Final = ("voice_agent_id", "created")


class VoiceAgents(Listing):
    """AI voice agents."""

    rows_name: ClassVar[str] = "agents"
    agents: list[VoiceAgent] = []


class VoiceAgentChange(Answer):
    """The agent's id."""

    voice_agent_id: int | None = None


@convirza.operation(
    "GET",
    "/v3/ai-voice-agents",
    effect=Effect.READ,
    toolset="voice_agents",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="agents",
    synonyms=("bots", "virtual receptionist", "assistants", "ivr"),
)
class ListVoiceAgents(PagedOperation[VoiceAgents]):
    """List AI voice agents."""


@convirza.operation(
    "GET",
    "/v3/ai-voice-agents/{voice_agent_id}",
    effect=Effect.READ,
    toolset="voice_agents",
    docs="get-agent-details-31106394e0",
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("show", "bot", "script", "details"),
)
class GetVoiceAgent(Operation[VoiceAgent]):
    """Show one AI voice agent with its greeting and prompt."""

    voice_agent_id: Id
    """Agent, from convirza_list_voice_agents."""


class _AgentSettings(FurtherFields):
    status: Annotated[Literal["active", "inactive"] | None, Field(serialization_alias="agent_status")] = None
    """Whether it answers."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    greeting: str | None = None
    """First words to a caller."""

    prompt: str | None = None
    """Its instructions."""

    voice: Word | None = None
    """Voice."""

    language: Word | None = None
    """Such as en-US."""

    transfer_number: Number | None = None
    """Number it passes callers to."""

    def destinations(self) -> tuple[str, ...]:
        own = (self.transfer_number,) if self.transfer_number else ()
        return (*own, *numbers_in(self.extra_fields))


@convirza.operation(
    "POST",
    "/v3/ai-voice-agents",
    effect=Effect.PAID,
    subject="Create the voice agent {name:text}",
    toolset="voice_agents",
    docs="create-agent-31106393e0",
    basis=ONLY_METHOD,
    synonyms=("new bot", "virtual receptionist", "add"),
)
class CreateVoiceAgent(_AgentSettings, Operation[VoiceAgentChange]):
    """Create an AI voice agent; it talks to callers once a route uses it (inferred)."""

    name: Annotated[Word, Field(serialization_alias="agent_name")]
    """Name."""

    def charge(self) -> Charge:
        why = "Convirza publishes no prices; an agent probably costs its minutes, once a route uses it."
        return Charge(item="voice agent", per="call", unknown=why)

    def undo(self, before: Any, answer: Any) -> Undo:
        return put_back(DeleteVoiceAgent, voice_agent_id=getattr(answer, "voice_agent_id", None))

    def verification(self, sent_at: datetime) -> Verification[VoiceAgents]:
        wanted = fields_of(self)
        return Verification(
            read=ListVoiceAgents(limit=200),
            check=lambda found: Evidence.yes_if(
                any(
                    same_settings(agent, wanted) is Evidence.YES and is_new(agent.created, sent_at)
                    for agent in found.agents
                )
            ),
        )

    def to_wire(self) -> dict[str, Any]:
        return body(self)


class _ChangeOfAgent(_AgentSettings):
    voice_agent_id: Id
    """Agent, from convirza_list_voice_agents."""

    def before(self) -> GetVoiceAgent:
        return GetVoiceAgent(voice_agent_id=self.voice_agent_id)

    def warnings(self) -> tuple[str, ...]:
        return (SPEAKS,)

    def verification(self, sent_at: datetime) -> Verification[VoiceAgent]:
        return Verification(
            read=self.before(), check=lambda found: same_settings(found, fields_of(self, "voice_agent_id"))
        )

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"voice_agent_id"}))


@convirza.operation(
    "PUT",
    "/v3/ai-voice-agents/{voice_agent_id}",
    effect=Effect.REROUTES | Effect.DESTRUCTIVE,
    subject="Replace all settings of the voice agent [{before.name:text}|{voice_agent_id}]",
    toolset="voice_agents",
    docs="update-agent-31106395e0",
    basis=ONLY_METHOD,
    synonyms=("put", "full update", "overwrite", "bot"),
)
class ReplaceVoiceAgent(_ChangeOfAgent, Operation[VoiceAgentChange]):
    """Replace all settings of an AI agent, RESETTING what is left out; use convirza_update_voice_agent instead."""

    name: Annotated[Word, Field(serialization_alias="agent_name")]
    """Name."""

    def changes(self, before: Any) -> tuple[str, ...]:
        read = before if isinstance(before, VoiceAgent) else None
        return describe_full_update(read, fields_of(self, "voice_agent_id"), kept=frozenset(NOT_SETTABLE))

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, VoiceAgent):
            return UNREAD
        settings = fields_of(before, *NOT_SETTABLE)
        lost = "The read may not show every setting; the documentation does not say."
        return put_back(ReplaceVoiceAgent, lost=lost, voice_agent_id=self.voice_agent_id, **settings)


@convirza.operation(
    "PATCH",
    "/v3/ai-voice-agents/{voice_agent_id}",
    effect=Effect.REROUTES,
    subject="Change {settings} of the voice agent [{before.name:text}|{voice_agent_id}]",
    toolset="voice_agents",
    docs="partial-update-agent-31106396e0",
    basis=ONLY_METHOD,
    synonyms=("patch", "change script", "greeting", "transfer", "bot"),
)
class UpdateVoiceAgent(_ChangeOfAgent, ChangesSomething, Operation[VoiceAgentChange]):
    """Change some settings of an AI voice agent; the others stay."""

    name: Annotated[Word | None, Field(serialization_alias="agent_name")] = None
    """New name."""

    def undo(self, before: Any, answer: Any) -> Undo:
        read = before if isinstance(before, VoiceAgent) else None
        wanted = fields_of(self, "voice_agent_id")
        return restore_settings(UpdateVoiceAgent, read, wanted, voice_agent_id=self.voice_agent_id)


@convirza.operation(
    "DELETE",
    "/v3/ai-voice-agents/{voice_agent_id}",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Delete the voice agent [{before.name:text}|{voice_agent_id}]",
    toolset="voice_agents",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("remove", "bot", "retire"),
)
class DeleteVoiceAgent(Operation[VoiceAgentChange]):
    """Delete an AI voice agent; calls on routes that use it go unanswered (inferred)."""

    voice_agent_id: Id
    """Agent, from convirza_list_voice_agents."""

    def before(self) -> GetVoiceAgent:
        return GetVoiceAgent(voice_agent_id=self.voice_agent_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, VoiceAgent):
            return UNREAD
        lost = "A new id, which routes must be pointed at."
        return put_back(CreateVoiceAgent, lost=lost, **fields_of(before, *NOT_SETTABLE))

    def verification(self, sent_at: datetime) -> Verification[VoiceAgent]:
        return verify_removal(self.before())
