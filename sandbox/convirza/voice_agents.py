"""AI voice agents (six operations). Methods are in the sidebar; paths, bodies and answers are inferred."""

from sandbox.convirza.bodies import VoiceAgentBody
from sandbox.convirza.endpoint import operation
from sandbox.convirza.records import VoiceAgent
from sandbox.convirza.rest_resource import Resource
from sandbox.convirza.state import State


class VoiceAgents(Resource[VoiceAgent, VoiceAgentBody]):
    """AI voice agents; one costs nothing until a route lets it answer calls.

    Routes keep the dead reference to a deleted one and their calls go unanswered.
    """

    name, plural, key = "AI voice agent", "agents", "voice_agent_id"
    first_id = 690
    kind, body = VoiceAgent, VoiceAgentBody
    created_status = 201

    def _things(self, state: State) -> dict[int, VoiceAgent]:
        return state.voice_agents


AGENTS = VoiceAgents()

ENDPOINTS = (
    operation("List AI Voice Agents", "GET", "/v3/ai-voice-agents", "read")(AGENTS.list_all),
    operation("Create Agent", "POST", "/v3/ai-voice-agents", "write")(AGENTS.create),
    operation("Get Agent Details", "GET", "/v3/ai-voice-agents/{id}", "read")(AGENTS.show),
    operation("Update Agent", "PUT", "/v3/ai-voice-agents/{id}", "write")(AGENTS.replace),
    operation("Partial Update Agent", "PATCH", "/v3/ai-voice-agents/{id}", "write")(AGENTS.patch),
    operation("Delete Agent", "DELETE", "/v3/ai-voice-agents/{id}", "write")(AGENTS.delete),
)
