"""The figures that the documents publish: of the sets that nobody looked at, and of those alone."""

from benchmarks.tool_choice.scoring import Request, Score, Way, request_sets, score

WAYS: tuple[Way, Way] = ("first call", "own words")


def published(way: Way, *, impossible: bool = False) -> Score:
    """Score the untouched requests that are asked in one way: for what is offered, or for what nobody offers."""
    untouched = (one for one in request_sets() if not one.was_looked_at and one.is_impossible == impossible)
    requests: tuple[Request, ...] = tuple(request for one in untouched if one.way == way for request in one.requests)
    return score(requests)


def table_of_requests() -> str:
    """Write the table of what is found."""
    rows = ["| asked in | requests | first | among five | takes a wrong thing |", "| --- | --- | --- | --- | --- |"]
    for way in WAYS:
        found = published(way)
        shares = f"{found.recall(1):.3f} | {found.recall(5):.3f} | {found.wrong_taken:.3f}"
        rows.append(f"| {way} | {len(found.places)} | {shares} |")
    return "\n".join(rows)


def table_of_gaps() -> str:
    """Write the table of what is answered where nobody offers what is wished for."""
    rows = ["| asked in | wishes | a guarded operation first |", "| --- | --- | --- |"]
    for way in WAYS:
        found = published(way, impossible=True)
        rows.append(f"| {way} | {len(found.places)} | {found.guarded:.3f} |")
    return "\n".join(rows)
