"""The texts behind `ringfence://…`: guide, policy, providers, operations and actions, in Markdown."""

from collections.abc import Iterator

from clients.client import ApiClient
from clients.operation import OperationType
from clients.spec import Spec
from guard.action import Principal
from guard.messages import argument_lines, status_line
from guard.verification_hint import outcome_text
from server.mcp.dispatcher import Dispatcher
from server.mcp.instructions import instructions
from server.mcp.tabular import compact
from server.mcp.untrusted import Untrusted, fence_action
from server.services import Services
from server.settings.explain import MEANING, explain, rules_in_force
from tools.discovery.describe import describe
from tools.operation_catalog import RegisteredOperations
from tools.registry import nearest, operation_named, operations_of


class NoSuchDocument(Exception):
    """Nothing is under this address. The message says what is."""


def guide(services: Services) -> str:
    """How to work with this server."""
    return f"""# Working with Ringfence

{instructions(services)}

## A guarded call, step by step

1. Make the call with exactly the arguments the user wants. Nothing is sent yet.
2. The person is asked: in the client's form, or on the approval page where policy says so or the client has no form.
3. NOT SENT means that the answer is still out. Tell the user where to approve, then make exactly the same call again.
   A changed argument is another call, and is asked about anew.
4. The receipt has the action's id. `get_action` shows it later, `undo_action` proposes the way back where there is one.
5. An unknown outcome is settled by looking, by this server or by the operator. The same call is refused until then.

## Finding what is not listed

`search_operations` in the user's words, `describe_operation` for arguments and price rule, then `call_read_operation`
or `call_write_operation`. The tools over all providers (`list_all_numbers`, `find_number`, `find_available_numbers`,
`account_overview`, `spend_report`, `message_status`) name under `missing` every provider that they could not or may
not ask, and why.
"""


def policy(services: Services) -> str:
    """The rules in force."""
    rows = [
        f"| `{name}` | {value} | {'settings' if is_set else 'default'} |" for name, value, is_set in _rules(services)
    ]
    meanings = [f"* `{decision.word}`: {meaning}." for decision, meaning in MEANING.items()]
    order = "An operation's rule counts before its toolset's, then its provider's, then the strictest effect's."
    return "\n".join(
        ["# Policy", "", *meanings, "", order, "", "| rule | value | set by |", "| --- | --- | --- |", *rows]
    )


def _rules(services: Services) -> Iterator[tuple[str, str, bool]]:
    return rules_in_force(services.settings)


def provider(services: Services, name: str) -> str:
    """One provider: whether it is on, its limits, what surprises, what is inferred.

    Raises:
        NoSuchDocument: There is no provider of this name that is set up.
    """
    client = services.clients.get(name)
    if client is None:
        raise NoSuchDocument(f"{name} is not set up here. Set up: {', '.join(services.clients) or 'none'}.")
    specs = [operation.spec for operation in operations_of(name).values()]
    return "\n".join([*_about(client, specs), *_limits(specs), *_quirks(client), *_inferred(specs)])


def operation(services: Services, name: str) -> str:
    """One operation: what it does, its arguments, an example, its price rule, and what policy says.

    Raises:
        NoSuchDocument: There is no operation of this name.
    """
    found = operation_named(name)
    if found is None:
        close = nearest(name, (one for provider in services.set_up for one in operations_of(provider)))
        raise NoSuchDocument(f"There is no operation {name}." + (f" Nearest: {', '.join(close)}." if close else ""))
    return "\n".join(_operation_lines(services, found))


async def action(services: Services, dispatcher: Dispatcher, principal: Principal, action_id: str) -> str:
    """One guarded call of this principal.

    Raises:
        NoSuchDocument: There is no such action of this principal.
    """
    found = await services.journal.find(action_id)
    if found is None or found.principal != principal.name:
        raise NoSuchDocument(f"There is no action {action_id} of yours.")
    untrusted = Untrusted()
    shown, quoted = fence_action(found, untrusted)
    lines = [
        f"# {shown.title}",
        "",
        status_line(shown),
        "",
        *argument_lines(shown.arguments),
        *shown.quote.lines(quoted),
    ]
    outcome = outcome_text(shown, RegisteredOperations())
    lines += [outcome] if outcome else []
    lines += [untrusted.note] if untrusted.is_used else []
    await dispatcher.remember(untrusted, shown.operation, principal)
    return "\n".join(lines)


def _about(client: ApiClient, specs: list[Spec]) -> list[str]:
    reads = sum(spec.effect.is_plain_read for spec in specs)
    asked = sum(spec.effect.is_guarded for spec in specs)
    about = f"{len(specs)} operations: {reads} plain reads, {asked} about which a person is asked."
    toolsets = ", ".join(dict.fromkeys(spec.toolset for spec in specs))
    documents = f"Documents: {client.provider.docs_url}"
    return [f"# {client.provider.title}", "", about, f"Toolsets: {toolsets}.", documents]


def _limits(specs: list[Spec]) -> list[str]:
    limits = {spec.limit for spec in specs if spec.limit is not None}
    if not limits:
        return []
    told = sorted(f"* {limit.name}: {limit.calls} in {limit.seconds:g} seconds" for limit in limits)
    return ["", "## Limits", "", *told]


def _quirks(client: ApiClient) -> list[str]:
    return ["", "## Good to know", "", *(f"* {quirk}" for quirk in client.provider.quirks)]


def _inferred(specs: list[Spec]) -> list[str]:
    names = [f"`{spec.tool_name}`" for spec in specs if spec.basis == "inferred"]
    if not names:
        return ["", "Every path is documented."]
    return ["", "## Inferred paths, which no public document shows", "", ", ".join(names)]


def _operation_lines(services: Services, found: OperationType) -> Iterator[str]:
    told = describe(found, services.policy)
    yield from (f"# {told['title']}", "", str(told["does"]), "")
    for name in ("name", "provider", "toolset", "asked", "price", "request", "basis", "docs", "call_with"):
        yield f"* {name.replace('_', ' ')}: {told[name]}"
    yield f"* effect: {', '.join(told['effect'])}"
    yield from ("", "## Arguments", "", "```json", compact(told["input_schema"]), "```")
    yield from ("", "## Example", "", "```json", compact(told["example"]), "```")
    yield from ("", "## What policy says", "", *explain(found, services.settings))
