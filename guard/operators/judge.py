"""Decides whether an operator may approve an action or a plan, and what its approval needs."""

from collections.abc import Collection, Iterable

from guard.action import Action
from guard.catalog import OperationCatalog
from guard.errors import MayNotApprove
from guard.messages import requester
from guard.money import Money
from guard.operators.approval import Approval, Approver, Statement
from guard.operators.demand import NO_DEMAND, Approvers, Demand, PricedCall
from guard.operators.roles import Role
from guard.plans.plan import Plan, Step


class ApprovalJudge:
    """Applies the rules about who approves what."""

    def __init__(self, approvers: Approvers, catalog: OperationCatalog) -> None:
        self._approvers = approvers
        self._catalog = catalog

    def demand_of(self, action: Action, up_to: Money | None = None) -> Demand:
        """Return what the approval of an action needs; `up_to` is the most that it may cost, where nobody knows."""
        return self._demand([(action.operation, action.made_on, up_to or action.quote.most)])

    def demand_of_plan(self, plan: Plan, struck: Collection[int] = ()) -> Demand:
        """Return what the approval of a plan needs, without the struck steps."""
        steps = [step for step in plan.chosen if step.position not in struck]
        return self.demand_of_steps([*steps, *(step for step in plan.chosen_undo if step.undoes not in struck)])

    def demand_of_steps(self, steps: Iterable[Step]) -> Demand:
        """Return what the approval of steps needs that are one plan."""
        return self._demand([(step.operation, step.made_on, step.quote.most) for step in steps])

    def require_may_approve(self, approver: Approver, principal: str, demand: Demand) -> None:
        """Refuse an operator whose approval does not count.

        Raises:
            MayNotApprove: By the role or the rules, or because the operator owns the token that asks.
        """
        name = approver.name
        if not approver.operator.role.includes(Role.APPROVER):
            raise MayNotApprove(
                f"{name} is a {approver.operator.role.value} and approves nothing; nothing was recorded."
            )
        if self._approvers.owns(approver.operator, principal):
            raise MayNotApprove(
                f"{name} owns the token of {requester(principal)}, who asks for this, and nobody approves what they "
                "ask for themselves; another operator has to. Nothing was recorded."
            )
        if demand.people > 1 and self._approvers.lacks_owner(principal):
            raise MayNotApprove(
                f"{demand.in_words} Whether one of them is {requester(principal)}, who asks for this, is not known: "
                "add the account's id with its operator to `http.oauth.owners`, and restart the server. Nothing was "
                "recorded."
            )
        if not demand.admits(name):
            raise MayNotApprove(f"{demand.in_words} {_whom(approver)} is none of them; nothing was recorded.")

    def _demand(self, calls: Collection[tuple[str, str, Money | None]]) -> Demand:
        if not self._approvers.rules:
            return NO_DEMAND
        found: list[PricedCall] = []
        for tool, account, most in calls:
            operation = self._catalog.operation_named(tool)
            if operation is not None and not operation.spec.effect.is_plain_read:
                found.append(PricedCall(operation.spec, account, most))
        return self._approvers.demand(found)


def require_same_terms(statement: Statement, given: Collection[Approval]) -> None:
    """Refuse an approval of other terms than those that an operator approved before.

    Raises:
        MayNotApprove: It names another amount, or leaves out other steps.
    """
    for earlier in given:
        said = earlier.statement
        if (said.up_to, said.without) != (statement.up_to, statement.without):
            terms = f"up to {said.up_to}" if said.up_to else f"without steps {_steps(said.without)}"
            raise MayNotApprove(
                f"{said.operator} approved {said.about} {terms if said.up_to or said.without else 'as it is'}: approve "
                "the same, or decline it. Nothing was recorded."
            )


def _steps(positions: Collection[int]) -> str:
    return ", ".join(str(position) for position in positions)


def _whom(approver: Approver) -> str:
    return "Whoever knows the passcode" if approver.operator.is_local else approver.name
