"""All of them."""

from tests.sandbox.voicetel.documented.account import ACCESS, ACCOUNT, E911, GATEWAYS
from tests.sandbox.voicetel.documented.numbering import LOOKUPS, MESSAGES, NUMBERING
from tests.sandbox.voicetel.documented.numbers import NUMBERS
from tests.sandbox.voicetel.documented.support import SUPPORT

OPERATIONS = (*ACCOUNT, *ACCESS, *E911, *GATEWAYS, *NUMBERING, *LOOKUPS, *MESSAGES, *NUMBERS, *SUPPORT)
