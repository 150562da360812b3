"""The operations on money, reports, people, and questions about numbers."""

from sandbox.routee.endpoint import About, Basis, Endpoint, plain, with_body, with_form, with_query, with_query_and_body
from sandbox.routee.fields import Filters, PageQuery
from sandbox.routee.operations import account, contacts, groups, lookups, reports, two_step

PAGE = Basis.PAGE
SOURCES = Basis.SOURCES
REFERENCE = Basis.REFERENCE
SDK = Basis.SDK
_EMPTY = "the empty answer"
_ARRAY = "that the body is an array"

ACCOUNT = (
    plain("GET", "/accounts/me/balance", About(SOURCES, "account"), account.show_balance),
    with_query("GET", "/system/prices", About(SOURCES, "account"), account.PricesQuery, account.list_prices),
    with_query(
        "GET",
        "/accounts/me/transactions",
        About(PAGE, "account"),
        account.TransactionsQuery,
        account.list_transactions,
    ),
)

REPORTS = (
    with_query("GET", "/reports/my/volPrice", About(SOURCES, "report"), reports.RangeQuery, reports.report_volume),
    with_query(
        "GET", "/reports/my/volPrice/perMcc", About(SOURCES, "report"), reports.CountryQuery, reports.report_country
    ),
    with_query(
        "GET", "/reports/my/volPrice/perMccMnc", About(SOURCES, "report"), reports.NetworkQuery, reports.report_network
    ),
    with_query(
        "GET",
        "/reports/my/volPrice/perCampaign",
        About(SOURCES, "report", inferred="offset is the beginning of the time"),
        reports.CampaignQuery,
        reports.report_campaign,
    ),
    with_query(
        "GET", "/reports/my/lookup/volPrice", About(REFERENCE, "report"), reports.RangeQuery, reports.report_lookups
    ),
    with_query(
        "GET",
        "/reports/my/numberValidator/volPrice",
        About(REFERENCE, "report", inferred="the shape is that of lookups"),
        reports.RangeQuery,
        reports.report_validations,
    ),
)

CONTACTS = (
    with_body("POST", "/contacts/my", About(SOURCES, "contact"), contacts.ContactBody, contacts.create_contact),
    with_query("GET", "/contacts/my", About(SOURCES, "contact"), contacts.ContactsQuery, contacts.list_contacts),
    with_body(
        "DELETE", "/contacts/my", About(SOURCES, "contact", inferred=_EMPTY), contacts.Ids, contacts.delete_contacts
    ),
    with_query(
        "HEAD",
        "/contacts/my/mobile",
        About(SDK, "contact", inferred="404 if there is none"),
        contacts.MobileQuery,
        contacts.find_mobile,
    ),
    plain("GET", "/contacts/labels/my", About(SOURCES, "contact"), contacts.list_labels),
    with_body(
        "POST",
        "/contacts/labels/my",
        About(SOURCES, "contact", inferred="the answer"),
        contacts.Labels,
        contacts.create_labels,
    ),
    plain("GET", "/contacts/my/blacklist/{service}", About(SOURCES, "contact"), contacts.list_blacklisted),
    with_body(
        "POST",
        "/contacts/my/blacklist/{service}",
        About(SOURCES, "contact"),
        contacts.Blacklisting,
        contacts.blacklist_contacts,
    ),
    with_body(
        "DELETE",
        "/contacts/my/blacklist/{service}",
        About(SOURCES, "contact"),
        contacts.Blacklisting,
        contacts.unblacklist_contacts,
    ),
    with_body(
        "DELETE",
        "/contacts/my/blacklist/{service}/groups",
        About(SOURCES, "contact"),
        contacts.Ids,
        contacts.unblacklist_groups,
    ),
    plain("GET", "/contacts/my/{id}", About(SOURCES, "contact"), contacts.show_contact),
    with_body(
        "PUT",
        "/contacts/my/{id}",
        About(SOURCES, "contact", inferred="everything is replaced"),
        contacts.ContactBody,
        contacts.update_contact,
    ),
    plain("DELETE", "/contacts/my/{id}", About(SOURCES, "contact", inferred=_EMPTY), contacts.delete_contact),
)

GROUPS = (
    plain("GET", "/groups/my", About(SOURCES, "contact", inferred="a bare array"), groups.list_groups),
    with_body("POST", "/groups/my", About(SOURCES, "contact"), groups.GroupBody, groups.create_group),
    with_query_and_body(
        "DELETE",
        "/groups/my",
        About(SOURCES, "contact"),
        groups.DeletionQuery,
        contacts.Ids,
        groups.delete_groups,
    ),
    with_query(
        "GET", "/groups/my/page", About(SOURCES, "contact", inferred="page and size"), PageQuery, groups.page_groups
    ),
    with_body("POST", "/groups/my/merge", About(SOURCES, "contact"), groups.CombinationBody, groups.merge_groups),
    with_body(
        "POST",
        "/groups/my/difference",
        About(SOURCES, "contact", inferred="the first less all others"),
        groups.CombinationBody,
        groups.subtract_groups,
    ),
    plain("GET", "/groups/my/{name}", About(SOURCES, "contact"), groups.show_group),
    with_query(
        "GET",
        "/groups/my/{name}/contacts",
        About(SOURCES, "contact", inferred="page and size"),
        contacts.ContactsQuery,
        groups.list_members,
    ),
    with_body("POST", "/groups/my/{name}/contacts", About(SOURCES, "contact"), contacts.Ids, groups.add_members),
    with_body("DELETE", "/groups/my/{name}/contacts", About(SOURCES, "contact"), contacts.Ids, groups.remove_members),
)

TWO_STEP = (
    with_body(
        "POST",
        "/2step",
        About(PAGE, "2step", paid=True, inferred="charged when it is verified; bounds and defaults"),
        two_step.VerificationBody,
        two_step.start_verification,
    ),
    plain("GET", "/2step/reports", About(SOURCES, "2step"), two_step.report_verifications),
    plain("GET", "/2step/reports/applications/{appId}", About(SOURCES, "2step"), two_step.report_application),
    plain("GET", "/2step/{trackingId}", About(SOURCES, "2step"), two_step.show_verification),
    with_form(
        "POST", "/2step/{trackingId}", About(SOURCES, "2step"), two_step.AnswerForm, two_step.confirm_verification
    ),
    plain("DELETE", "/2step/{trackingId}", About(SOURCES, "2step"), two_step.cancel_verification),
)

LOOKUPS = (
    with_body("POST", "/lookup", About(REFERENCE, paid=True), lookups.LookupBody, lookups.look_up),
    plain("GET", "/lookup/{lookupId}", About(REFERENCE), lookups.show_lookup),
    with_query_and_body(
        "POST",
        "/lookup/tracking",
        About(REFERENCE, inferred=_ARRAY),
        lookups.LookupsQuery,
        Filters,
        lookups.search_lookups,
    ),
    with_body(
        "POST",
        "/numbervalidator",
        About(REFERENCE, paid=True, inferred="impossible numbers are charged too"),
        lookups.ValidationBody,
        lookups.validate_number,
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (*ACCOUNT, *REPORTS, *CONTACTS, *GROUPS, *TWO_STEP, *LOOKUPS)
