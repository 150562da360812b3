"""The bodies of the documents under `ringfence://…`: guide, policy, providers, operations, actions, in Markdown."""

from collections.abc import Iterator

from clients.client import ApiClient
from clients.operation import OperationType
from clients.spec import Spec
from guard.messages import argument_lines, status_line
from guard.verification_hint import outcome_text
from server.mcp.dispatcher import Dispatcher
from server.mcp.instructions import instructions
from server.mcp.results import reason_lines
from server.mcp.session import Session
from server.mcp.tabular import compact
from server.mcp.untrusted import Untrusted, fence_action
from server.services import Services
from server.settings.explain import MEANING, explain, rules_in_force
from tools.actions.handlers import is_own
from tools.discovery.describe import describe
from tools.discovery.handlers import account_choice
from tools.operation_catalog import RegisteredOperations
from tools.registry import nearest, operation_named, operations_of
from tools.schema import ACCOUNT
from tools.selection import usable_accounts


class NoSuchDocument(Exception):
    """There is no document under this URI. The message names those there are."""


def guide(services: Services) -> str:
    """Write the guide: how to work with this server."""
    return f"""# Working with Ringfence

{instructions(services)}

## A guarded call, step by step

1. Make the call with exactly the arguments the user wants. Nothing is sent yet.
2. A person approves it: in the client's form, or on the approval page where policy says so or the client has no form.
3. NOT SENT means that nobody has answered yet. Tell the user where to approve, then make exactly the same call again.
   A changed argument makes it another call, which needs its own approval.
4. The receipt has the action's id. `get_action` shows the action later, `undo_action` proposes an undo where possible.
5. An unknown outcome is settled by checking the provider's state: this server does it, or the operator. The same call
   is refused until then.

## Finding what is not listed

`search_operations` with verb, object and provider, `describe_operation` for arguments and price rule, then
`call_read_operation` or `call_write_operation`. The tools over all providers (`list_all_numbers`, `find_number`,
`find_available_numbers`, `account_overview`, `spend_report`, `message_status`) name under `missing` every provider that
they could not or may not read, and why. `find_number_use` finds numbers that nobody uses, and says what is not proven.
"""


def policy(services: Services, session: Session) -> str:
    """Write the rules in force as a table, without those of accounts that the session may not use."""
    rows = [
        f"| `{rule.name}` | {rule.value} | {'settings' if rule.is_set else 'default'} |"
        for rule in rules_in_force(services.settings, shown=_shown(services, session))
    ]
    meanings = [f"* `{decision.word}`: {meaning}." for decision, meaning in MEANING.items()]
    order = "An operation's rule counts before its toolset's, then its provider's, then the strictest effect's."
    if services.settings.policy.accounts:
        order = f"An account's own rules count before all others. {order}"
    return "\n".join(
        ["# Policy", "", *meanings, "", order, "", "| rule | value | set by |", "| --- | --- | --- |", *rows]
    )


def _shown(services: Services, session: Session) -> list[str]:
    return [name for name in services.settings.account_names if session.may_use(name)]


def provider(services: Services, session: Session, name: str) -> str:
    """Write about one provider: its operations, its accounts, its limits, its quirks, and its inferred paths.

    Raises:
        NoSuchDocument: There is no provider of this name that is set up.
    """
    set_up = [one for one in services.set_up if usable_accounts(one, session, services)]
    if name not in set_up:
        raise NoSuchDocument(f"{name} is not set up here. Set up: {', '.join(set_up) or 'none'}.")
    accounts = usable_accounts(name, session, services)
    client, specs = services.clients[accounts[0]], [operation.spec for operation in operations_of(name).values()]
    named = ["", f"Accounts: {', '.join(accounts)}. Name one as `{ACCOUNT}`."] if len(accounts) > 1 else []
    return "\n".join([*_summary(client, specs), *named, *_limits(specs), *_quirks(client), *_inferred_paths(specs)])


def operation(services: Services, session: Session, name: str) -> str:
    """Write about one operation: what it does, its arguments, an example, its price rule, and what policy says.

    Raises:
        NoSuchDocument: There is no operation of this name.
    """
    found = operation_named(name)
    if found is None:
        close = nearest(name, (one for provider in services.set_up for one in operations_of(provider)))
        raise NoSuchDocument(f"There is no operation {name}." + (f" Nearest: {', '.join(close)}." if close else ""))
    return "\n".join(_operation_lines(services, session, found))


async def action(services: Services, dispatcher: Dispatcher, session: Session, action_id: str) -> str:
    """Write about one guarded call of whoever asks.

    Raises:
        NoSuchDocument: There is no such action of theirs.
    """
    found = await services.journal.find(action_id)
    if found is None or not is_own(found, session):
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
        *reason_lines(shown),
    ]
    outcome = outcome_text(shown, RegisteredOperations())
    lines += [outcome] if outcome else []
    lines += [untrusted.note] if untrusted.is_used else []
    await dispatcher.remember(untrusted, shown.operation, session.principal)
    return "\n".join(lines)


def _summary(client: ApiClient, specs: list[Spec]) -> list[str]:
    reads = sum(spec.effect.is_plain_read for spec in specs)
    guarded = sum(spec.effect.is_guarded for spec in specs)
    about = f"{len(specs)} operations: {reads} plain reads, {guarded} that need approval by default."
    toolsets = ", ".join(dict.fromkeys(spec.toolset for spec in specs))
    documents = f"Documents: {client.provider.docs_url}"
    return [f"# {client.provider.title}", "", about, f"Toolsets: {toolsets}.", documents]


def _limits(specs: list[Spec]) -> list[str]:
    limits = {spec.limit for spec in specs if spec.limit is not None}
    if not limits:
        return []
    lines = sorted(f"* {limit.name}: {limit.calls} in {limit.seconds:g} seconds" for limit in limits)
    return ["", "## Limits", "", *lines]


def _quirks(client: ApiClient) -> list[str]:
    return ["", "## Good to know", "", *(f"* {quirk}" for quirk in client.provider.quirks)]


def _inferred_paths(specs: list[Spec]) -> list[str]:
    names = [f"`{spec.tool_name}`" for spec in specs if spec.basis.path != "documented"]
    if not names:
        return ["", "Every path is documented."]
    return ["", "## Paths that no page of the provider shows", "", ", ".join(names)]


def _operation_lines(services: Services, session: Session, found: OperationType) -> Iterator[str]:
    accounts = account_choice(found.spec.provider.name, session, services)
    facts = describe(found, services.policy, accounts, out_of_reach=session.why_out_of_reach(found.spec))
    yield from (f"# {facts['title']}", "", str(facts["does"]), "")
    for name in ("name", "provider", "toolset", "approval", "price", "request", "basis", "docs", "call_with"):
        if facts[name] is not None:
            yield f"* {name.replace('_', ' ')}: {facts[name]}"
    yield f"* effect: {', '.join(facts['effect'])}"
    yield from ("", "## Arguments", "", "```json", compact(facts["input_schema"]), "```")
    yield from ("", "## Example", "", "```json", compact(facts["example"]), "```")
    yield from ("", "## What policy says", "", *explain(found, services.settings, shown=_shown(services, session)))
