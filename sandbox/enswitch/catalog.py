"""Every function of the catalogue: the seed page, its siblings, and each page of the guide that was read."""

from sandbox.enswitch.calls import CALLS
from sandbox.enswitch.cards import CARDS
from sandbox.enswitch.charges import CHARGES
from sandbox.enswitch.customers import CUSTOMERS
from sandbox.enswitch.features import FEATURES
from sandbox.enswitch.function import Function
from sandbox.enswitch.messages import MESSAGES
from sandbox.enswitch.people import PEOPLE
from sandbox.enswitch.phone_numbers import NUMBERS
from sandbox.enswitch.phones import PHONES
from sandbox.enswitch.plans import PLANS
from sandbox.enswitch.queues import QUEUES
from sandbox.enswitch.routing import ROUTING

FUNCTIONS: tuple[Function, ...] = (
    *PLANS,
    *ROUTING,
    *NUMBERS,
    *CALLS,
    *CUSTOMERS,
    *CHARGES,
    *CARDS,
    *PEOPLE,
    *PHONES,
    *QUEUES,
    *FEATURES,
    *MESSAGES,
)
