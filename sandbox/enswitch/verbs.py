"""What list, get, create, update and delete mean for any table, so that a function is mostly a row of data."""

from collections.abc import Callable, Iterable

from sandbox.enswitch.fields import Fields, Row, Value, integer, need
from sandbox.enswitch.function import Call, Run
from sandbox.enswitch.state import TABLES, State
from sandbox.enswitch.wire import Answer, created, done, ok, refuse

SECRET_COLUMNS = frozenset({"password", "pin", "adminpin", "listenpin", "talkpin", "file"})
"""Never part of a row that is returned; phones/get and the file functions add theirs where the guide says so."""

DESTINATIONS = {
    "phone": "phones",
    "queue": "queues",
    "huntgroup": "huntgroups",
    "ivr": "ivrs",
    "conference": "conferences",
    "mailbox": "mailboxes",
}
"""inferred: destination types that name a row; other types (external, forward, hangup, …) are not looked up."""

DESTINATION_PAIRS = tuple((f"{event}type", f"{event}number") for event in ("a", "b", "d", "h", "n", "fax_d"))

SORTED_BY = {"destination": "dtype"}
"""Values of `sort` that are no columns."""

Step = Callable[[Call, Row], None]


def subject(table: str, parameter: str = "id") -> Fields:
    """Return the required identifier of the row that a function works on; unknown or invisible ones answer 404."""
    return need(integer(parameter, refers=table), missing=404)


def shown(row: Row) -> dict[str, Value]:
    """Return a row without its secrets."""
    return {column: value for column, value in row.items() if column not in SECRET_COLUMNS}


def get(table: str, parameter: str = "id") -> Run:
    """Return the fields of one row."""

    def run(call: Call) -> Answer:
        return ok(shown(call.row(table, parameter)))

    return run


def listing(table: str, equal: str = "", contains: str = "") -> Run:
    """Return the visible rows, of one customer if the table has customers, narrowed by parameters named as columns."""

    def run(call: Call) -> Answer:
        rows: Iterable[Row] = (row for row in call.state.tables[table] if call.reach.sees(table, row))
        if TABLES[table].owner == "customer":
            rows = (row for row in rows if row.get("customer") == call.customer)
        for column in equal.split():
            if column in call.args:
                rows = [row for row in rows if row.get(column) == call.args[column]]
        for column in contains.split():
            needle = call.args.text(column).lower()
            rows = [row for row in rows if needle in row.text(column).lower()]
        return page(call, rows, TABLES[table].key)

    return run


def page(call: Call, rows: Iterable[Row], key: str = "id") -> Answer:
    """Return a list cut as `count`, `sort`, `descending`, `offset`, `limit` and `pages` say.

    inferred: `count=1` answers `{"count": n}`, `pages=1` the key and the sorted column of each row.
    """
    found = list(rows)
    if call.args.whole("count"):
        return ok({"count": len(found)})
    sort = SORTED_BY.get(call.args.text("sort"), call.args.text("sort"))
    if sort:
        found.sort(key=lambda row: _sortable(row.get(sort, "")))
    if call.args.whole("descending"):
        found.reverse()
    start, limit = call.args.whole("offset"), call.args.whole("limit")
    found = found[start : start + limit] if limit else found[start:]
    if call.args.whole("pages"):
        return ok([{column: row[column] for column in (key, sort) if column in row} for row in found])
    return ok([shown(row) for row in found])


def create(
    table: str,
    *,
    feature: str = "",
    unique: str = "",
    check: Step | None = None,
    after: Step | None = None,
    answers_id: bool = True,
) -> Run:
    """Add a row from the parameters; `data.id` is answered unless the table has another key.

    `unique` names columns that no two rows may share, the one at fault first; `feature` what the rate plan must allow.
    """

    def run(call: Call) -> Answer:
        declared = TABLES[table]
        row = Row(call.args)
        if declared.owner == "customer":
            row["customer"] = call.customer
        if declared.key != "id" and call.state.find(table, row[declared.key]) is not None:
            raise refuse(400, declared.key, "already exists")
        check_destinations(call, row)
        if feature:
            require_feature(call.state, call.customer, feature, table)
        if unique and call.state.first(table, **{column: row[column] for column in unique.split()}) is not None:
            raise refuse(400, unique.split()[0], "already exists")
        if check:
            check(call, row)
        call.stop_if_validating()
        stored = call.state.insert(table, **row)
        if after:
            after(call, stored)
        return created(stored["id"]) if answers_id and declared.key == "id" else done()

    return run


def update(
    table: str, parameter: str = "id", *, check: Step | None = None, after: Step | None = None, fixed: str = ""
) -> Run:
    """Change the columns that were given and keep the others; a parameter with a default falls back to it."""

    def run(call: Call) -> Answer:
        row = call.row(table, parameter)
        changes = Row({name: value for name, value in call.args.items() if name not in {parameter, *fixed.split()}})
        check_destinations(call, changes, row.whole("customer"))
        if check:
            check(call, row)
        call.stop_if_validating()
        row.update(changes)
        if after:
            after(call, row)
        return done()

    return run


def delete(table: str, parameter: str = "id") -> Run:
    """Remove one row."""

    def run(call: Call) -> Answer:
        call.state.remove(table, call.row(table, parameter))
        return done()

    return run


def copy_secret(table: str, secret: str, what: str) -> Step:
    """Take a secret from the row that `copy_<secret>` names, if it is given (inferred: by its key)."""

    def run(call: Call, row: Row) -> None:
        parameter = f"copy_{secret}"
        if parameter in row:
            source = call.state.find(table, row.pop(parameter))
            if source is None or not call.reach.sees(table, source):
                raise refuse(400, parameter, f"no such {what}")
            row[secret] = source[secret]

    return run


def check_destinations(call: Call, row: Row, customer: int = 0) -> None:
    """Check that every destination names something of the same customer.

    Raises:
        Refusal: 400 for the number parameter (inferred).
    """
    owner = customer or row.whole("customer")
    for type_name, number_name in DESTINATION_PAIRS:
        table = DESTINATIONS.get(row.text(type_name))
        if table is None:
            continue
        number = row.text(number_name)
        key: Value = int(number) if TABLES[table].key == "id" and number.isdecimal() else number
        found = call.state.find(table, key)
        if found is None or (owner and found.whole("customer") != owner):
            raise refuse(400, number_name, f"no such {row.text(type_name)}")


def require_feature(state: State, customer: int, feature: str, table: str, more: int = 1) -> None:
    """Check that the customer's rate plan allows so many of a feature.

    inferred: the guide gives `maximum` (0 forbidden, -1 unlimited) without the features' names; here they are the
    names of the modules.

    Raises:
        Refusal: 403 if the maximum is reached.
    """
    plan = state.row("customers", customer).whole("plan")
    allowed = state.first("plan_features", plan=plan, feature=feature)
    if allowed is None or allowed.whole("maximum") < 0:
        return
    if sum(1 for _ in state.where(table, customer=customer)) + more > allowed.whole("maximum"):
        raise refuse(403)


def _sortable(value: Value) -> tuple[int, float, str]:
    return (1, 0.0, value.lower()) if isinstance(value, str) else (0, float(value), "")
