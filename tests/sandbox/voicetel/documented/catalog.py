"""All of them."""

from typing import Final

from tests.sandbox.voicetel.documented.account import ACCESS, ACCOUNT, E911, GATEWAYS
from tests.sandbox.voicetel.documented.contracts import rows_from_contracts
from tests.sandbox.voicetel.documented.numbering import LOOKUPS, MESSAGES, NUMBERING
from tests.sandbox.voicetel.documented.numbers import NUMBERS
from tests.sandbox.voicetel.documented.operation import Documented
from tests.sandbox.voicetel.documented.support import SUPPORT

WRITTEN: Final = (*ACCOUNT, *ACCESS, *E911, *GATEWAYS, *NUMBERING, *LOOKUPS, *MESSAGES, *NUMBERS, *SUPPORT)
OPERATIONS: Final[tuple[Documented, ...]] = (
    *WRITTEN,
    *rows_from_contracts({(row.method, row.path) for row in WRITTEN}),
)
