"""People, their roles, logging in, and acting as somebody else."""

from sandbox.enswitch.access import issue_token
from sandbox.enswitch.fields import Row, customer, flag, integer, need, one_number_of, paging, since, text
from sandbox.enswitch.function import Call, Function, Special, reading, writing
from sandbox.enswitch.verbs import copy_secret, create, get, listing, shown, subject
from sandbox.enswitch.wire import Answer, done, ok, refuse

TOKENS = (4, 1)
OWNED = ("phones", "mailboxes", "queues", "huntgroups", "conferences", "addresses", "numbers")
"""Tables whose rows may have an owner, for people/delete with `features=1` (inferred: which they are)."""


@reading("user/login", "user", since(TOKENS, flag(token=0)))
def login(call: Call) -> Answer:
    """Show the caller's own login data."""
    return ok(_login_data(call, call.caller))


@writing(
    "user/switch",
    "administrator",
    integer("id"),
    text("username"),
    since(TOKENS, flag(token=0)),
    exactly_one=("id", "username"),
)
def switch(call: Call) -> Answer:
    """Show the login data of somebody else, with a token to act as that person."""
    column = "id" if "id" in call.args else "username"
    return ok(_login_data(call, call.only("people", column, **{column: call.args[column]})))


def _login_data(call: Call, person: Row) -> dict[str, object]:
    """Return a person's fields; with `token=1` a token too, without `auth_token_expires` if it never expires."""
    data: dict[str, object] = dict(shown(person))
    if call.args.whole("token"):
        lifetime = call.state.settings.token_lifetime
        expires = call.state.now() + lifetime if lifetime else None
        # inferred: auth_token_expiry of a token that never expires is 0
        data |= {"auth_token": issue_token(call.state, person, expires), "auth_token_expiry": lifetime}
        if expires is not None:
            data["auth_token_expires"] = expires
    return data


@reading(
    "people/get",
    "user",
    text("email", "username"),
    integer("id"),
    flag(check=0),
    specials=(Special("check", "1", ""),),
    exactly_one=("email", "id", "username"),
    basis="guide 3.13",
)
def get_person(call: Call) -> Answer:
    """Show a person; `check=1` shows anybody whether a person exists, and no more (inferred: its id)."""
    column = next(name for name in ("email", "id", "username") if name in call.args)
    if not call.args.whole("check"):
        return ok(shown(call.only("people", column, **{column: call.args[column]})))
    person = call.state.first("people", **{column: call.args[column]})
    if person is None:
        raise refuse(404, column)
    return ok({"id": person["id"]})


@writing("people/delete", "administrator|wholesale", subject("people"), flag(features=0))
def delete_person(call: Call) -> Answer:
    """Delete a person; `features=1` deletes everything that the person owns."""
    person = call.row("people")
    if person["id"] == call.caller["id"]:
        # inferred
        raise refuse(400, "id", "is yourself")
    for table in OWNED:
        for row in list(call.state.where(table, owner=person["id"])):
            if call.args.whole("features") and table != "numbers":
                call.state.remove(table, row)
            else:
                row["owner"] = 0
    call.state.remove("people", person)
    return done()


@writing(
    "roles/access/set",
    "system",
    subject("roles", "role"),
    need(text("privilege")),
    need(one_number_of("access", (0, 1, 2))),
    dry_run=True,
    basis="guide 4.4 and 3.15",
)
def set_access(call: Call) -> Answer:
    """Set a privilege of a role: 1 full access, 2 read-only, 0 none."""
    role = call.row("roles", "role")
    names = {"role": role["id"], "privilege": call.args["privilege"]}
    call.stop_if_validating()
    row = call.state.first("role_access", **names) or call.state.insert("role_access", **names)
    row["access"] = call.args["access"]
    return done()


PEOPLE: tuple[Function, ...] = (
    reading("people/list", "user", customer(), paging(), text("sort"), since((4, 4), text("zohocrm")))(
        listing("people")
    ),
    writing(
        "people/create",
        "administrator|wholesale",
        need(text("username", "email")),
        text("password", "company", "country", "date_format", "description", "extension", "fax", "forename"),
        text("language", "mobile", "public_key", "source", "surname", "telephone", "time_format", "timezone"),
        text("title"),
        integer("copy_password"),
        need(integer("role", refers="roles")),
        customer(),
        exactly_one=("password", "copy_password"),
        dry_run=True,
        basis="guide 4.4; type of copy_password inferred",
    )(create("people", feature="people", unique="username", check=copy_secret("people", "password", "person"))),
    reading("roles/list", "user")(listing("roles")),
    writing("roles/create", "system", need(text("name")), text(description=""), dry_run=True)(
        create("roles", unique="name")
    ),
    reading("access/get", "administrator|wholesale", subject("access"))(get("access")),
)
