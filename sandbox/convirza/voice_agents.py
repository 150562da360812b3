"""AI voice agents (six operations). Methods are in the sidebar; paths, bodies and answers are inferred."""

from pydantic import Field

from sandbox.convirza.bodies import VoiceAgentBody
from sandbox.convirza.endpoint import Call, Endpoint, parse_body, parse_patch, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, page
from sandbox.convirza.records import VoiceAgent
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed


class VoiceAgentQuery(OpenQuery):
    """inferred."""

    org_unit_id: int | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


def list_voice_agents(call: Call) -> Answer:
    """The agents of the hierarchy."""
    refuse_body(call)
    query = parse_query(call, VoiceAgentQuery)
    scope = call.scope(query.org_unit_id)
    found = [agent for agent in call.state.voice_agents.values() if agent.org_unit_id in scope]
    return listed("agents", [_row(agent) for agent in page(found, query.limit, query.offset)], len(found))


def show_voice_agent(call: Call) -> Answer:
    """One agent."""
    refuse_body(call)
    return Answer(_row(_visible(call)))


def create_voice_agent(call: Call) -> Answer:
    """Create an agent; it costs nothing until a route lets it answer calls."""
    body = parse_body(call, VoiceAgentBody)
    org = call.writable_org(body.org_unit_id)
    agent = VoiceAgent(call.state.next("voice_agent", 690), org.id, body, call.state.clock.now())
    call.state.voice_agents[agent.id] = agent
    return Answer({"voice_agent_id": agent.id}, 201)


def update_voice_agent(call: Call) -> Answer:
    """Replace an agent; omitted fields go back to their defaults."""
    agent = _visible(call)
    return _store(call, agent, parse_body(call, VoiceAgentBody))


def patch_voice_agent(call: Call) -> Answer:
    """Change some fields of an agent."""
    agent = _visible(call)
    return _store(call, agent, parse_patch(call, agent.body, VoiceAgentBody))


def delete_voice_agent(call: Call) -> Answer:
    """Delete an agent; routes keep the dead reference and their calls go unanswered."""
    refuse_body(call)
    agent = _visible(call)
    del call.state.voice_agents[agent.id]
    return Answer({"voice_agent_id": agent.id})


def _store(call: Call, agent: VoiceAgent, body: VoiceAgentBody) -> Answer:
    agent.org_unit_id = call.writable_org(body.org_unit_id).id
    agent.body = body
    return Answer({"voice_agent_id": agent.id})


def _visible(call: Call) -> VoiceAgent:
    agent = call.state.voice_agents.get(call.id)
    if agent is None or not call.sees(agent.org_unit_id):
        raise Refusal(404, "AI voice agent not found.")
    return agent


def _row(agent: VoiceAgent) -> dict[str, object]:
    return {
        "voice_agent_id": agent.id,
        **agent.body.model_dump(),
        "org_unit_id": agent.org_unit_id,
        "created": iso_ms(agent.created),
    }


ENDPOINTS = (
    Endpoint("List AI Voice Agents", "GET", "/v3/ai-voice-agents", "inferred", "read", list_voice_agents),
    Endpoint("Create Agent", "POST", "/v3/ai-voice-agents", "inferred", "write", create_voice_agent, "inferred"),
    Endpoint("Get Agent Details", "GET", "/v3/ai-voice-agents/{id}", "inferred", "read", show_voice_agent),
    Endpoint("Update Agent", "PUT", "/v3/ai-voice-agents/{id}", "inferred", "write", update_voice_agent, "inferred"),
    Endpoint(
        "Partial Update Agent", "PATCH", "/v3/ai-voice-agents/{id}", "inferred", "write", patch_voice_agent, "inferred"
    ),
    Endpoint("Delete Agent", "DELETE", "/v3/ai-voice-agents/{id}", "inferred", "write", delete_voice_agent),
)
