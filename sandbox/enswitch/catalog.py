"""Every function of the catalogue: the seed page, its siblings, and each page of the guide that was read."""

from sandbox.enswitch import (
    calls,
    cards,
    charges,
    customers,
    features,
    messages,
    people,
    phone_numbers,
    phones,
    plans,
    queues,
    routing,
    timegroups,
)
from sandbox.enswitch.function import Function
from sandbox.frame.endpoint import declared_in

FUNCTIONS = declared_in(
    Function,
    *(plans, routing, phone_numbers, timegroups, calls, customers, charges),
    *(cards, people, phones, queues, features, messages),
)
