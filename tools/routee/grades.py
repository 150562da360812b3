"""How sure Routee's endpoints are, by what shows each part.

Three kinds of sources: pages of Routee (its documentation page, which lists what answers hold, and the pages of its
reference that could be read), public clients (four old SDKs and one connector, which was made from the reference and
is the only source of many paths), and conclusions from siblings.
"""

from typing import Final

from clients.grades import Grade, Grades


def graded(where: Grade, *, request: Grade, answer: Grade) -> Grades:
    """Return the grades of an endpoint: of its method and path, of what is sent, and of what comes back."""
    return Grades(method=where, path=where, request=request, answer=answer)


PAGES: Final = graded("documented", request="documented", answer="documented")
"""A page of Routee shows the whole endpoint."""

PAGES_BUT_REQUEST: Final = graded("documented", request="seen", answer="documented")
"""Pages of Routee show where and what is answered; what is sent is known from public clients."""

PAGES_BUT_ANSWER: Final = graded("documented", request="documented", answer="seen")
"""Pages of Routee show where and what is sent; what is answered is known from public clients."""

ANSWER_ON_PAGE: Final = graded("seen", request="seen", answer="documented")
"""A page of Routee shows what is answered; the rest is known from public clients."""

SEEN: Final = Grades.all("seen")
"""Public clients alone show it."""

ANSWER_INFERRED: Final = graded("seen", request="seen", answer="inferred")
"""Public clients show what is sent, and nothing shows what is answered."""

REQUEST_INFERRED: Final = graded("seen", request="inferred", answer="seen")
"""Public clients show where and what is answered; the form of what is sent is that of a sibling."""

REQUEST_INFERRED_ANSWER_ON_PAGE: Final = graded("seen", request="inferred", answer="documented")
"""A page of Routee shows what is answered; the form of what is sent is that of a sibling."""
