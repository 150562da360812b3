"""How sure the parts of Convirza's endpoints are, by what its public pages show.

The pages of most operations are public only as names in a list with their methods; the architecture page shows the base
path of each resource.
"""

from typing import Final

from clients.grades import Grades

ANSWER_INFERRED: Final = Grades(answer="inferred")
"""The page shows what is sent, not what comes back."""

BODIES_INFERRED: Final = Grades(request="inferred", answer="inferred")
"""A page shows method and path."""

ONLY_METHOD: Final = Grades(path="inferred", request="inferred", answer="inferred")
"""The list of operations shows the method; the path is concluded from its siblings'."""

ONLY_METHOD_OF_ITEM: Final = Grades(path="inferred", answer="inferred")
"""The same, of a call that sends nothing but what its path names."""

ONLY_BASE_PATH: Final = Grades(method="inferred", request="inferred", answer="inferred")
"""The architecture page shows the path, and no page the method."""
