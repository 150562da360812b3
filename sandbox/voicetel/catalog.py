"""All 74 operations of VoiceTel REST API v2.2.10, in the order of its page.

Paths, methods and limits: the published OpenAPI 2.2.10. A path with a literal segment stands before the one with a
parameter in its place.
"""

from sandbox.voicetel import (
    access,
    account,
    campaigns,
    e911,
    gateways,
    lookups,
    messages,
    number_messaging,
    number_settings,
    numbers,
    orders,
    ports,
    signup,
    support,
)
from sandbox.voicetel.endpoint import Endpoint, plain, with_body, with_query

ACCOUNT = (
    with_body("POST", "/v2.2/account", signup.SubaccountBody, signup.create_subaccount, admin=True),
    with_body("PUT", "/v2.2/account", account.SettingsBody, account.update_settings),
    plain("GET", "/v2.2/account", account.show_account, limited=True),
    with_query("GET", "/v2.2/account/credits", account.CreditsQuery, account.list_credits),
    with_query("GET", "/v2.2/account/cdr", account.CdrQuery, account.list_calls, limited=True),
    plain("GET", "/v2.2/account/registration", account.show_registration),
    plain("GET", "/v2.2/account/recurring-charges", account.list_recurring_charges, limited=True),
    plain("GET", "/v2.2/account/payments", account.list_payments),
    with_body("POST", "/v2.2/account/api-key", signup.ApiKeyBody, signup.fetch_api_key, public=True, limited=True),
    with_body("POST", "/v2.2/account/recovery", signup.RecoveryBody, signup.request_recovery, public=True),
    with_body("POST", "/v2.2/accounts", signup.SignUpBody, signup.sign_up, public=True),
)

ACCESS = (
    with_body("POST", "/v2.2/acl", access.AclBody, access.add_acl),
    with_query("DELETE", "/v2.2/acl", access.AclQuery, access.remove_acl),
    plain("GET", "/v2.2/acl", access.list_acl),
    with_body("PUT", "/v2.2/auth", access.AuthBody, access.update_auth),
    plain("GET", "/v2.2/auth", access.show_auth),
)

E911 = (
    with_body("POST", "/v2.2/e911/validations", e911.AddressBody, e911.validate_address),
    plain("DELETE", "/v2.2/e911/{dn}", e911.remove_record),
    with_body("PUT", "/v2.2/e911/{dn}", e911.ProvisionBody, e911.provision_record),
    plain("GET", "/v2.2/e911/{dn}", e911.show_record),
    with_body("POST", "/v2.2/e911", e911.RecordBody, e911.create_record),
    plain("GET", "/v2.2/e911", e911.list_records),
)

GATEWAYS = (
    plain("DELETE", "/v2.2/gateways/{id}", gateways.remove_gateway),
    with_body("PUT", "/v2.2/gateways/{id}", gateways.GatewayChangeBody, gateways.change_gateway),
    plain("GET", "/v2.2/gateways/{id}", gateways.show_gateway),
    with_body("POST", "/v2.2/gateways", gateways.GatewayBody, gateways.add_gateway),
    plain("GET", "/v2.2/gateways", gateways.list_gateways),
    plain("GET", "/v2.2/gateways/{id}/numbers", gateways.list_gateway_numbers),
)

NUMBERING = (
    with_body("POST", "/v2.2/orders", orders.OrderBody, orders.order_numbers),
    with_query("GET", "/v2.2/inventory/coverage", orders.CoverageQuery, orders.count_coverage),
    with_body("POST", "/v2.2/ports", ports.PortBody, ports.submit_port),
    plain("GET", "/v2.2/ports", ports.list_ports),
    plain("GET", "/v2.2/ports/{id}", ports.show_port),
    with_query("GET", "/v2.2/inventory", orders.SearchQuery, orders.search_inventory),
    plain("GET", "/v2.2/ports/availability/{number}", ports.check_portability),
)

LOOKUPS = (
    plain("GET", "/v2.2/cnam/{number}", lookups.look_up_caller_name),
    plain("GET", "/v2.2/lrn/{number}/{ani}", lookups.look_up_routing),
)

MESSAGING = (
    with_query("GET", "/v2.2/numbers/messaging", number_messaging.NumbersQuery, number_messaging.list_messaging),
    with_body("POST", "/v2.2/messaging/brands", campaigns.BrandBody, campaigns.register_brand),
    with_body("POST", "/v2.2/messages", messages.MessageBody, messages.send_message),
    with_query("GET", "/v2.2/messages", messages.HistoryQuery, messages.list_messages),
    with_body("POST", "/v2.2/messaging/campaigns", campaigns.CampaignBody, campaigns.register_campaign),
    with_query("GET", "/v2.2/messaging/campaigns", campaigns.CampaignsQuery, campaigns.list_campaign_status),
)

NUMBERS = (
    with_body("POST", "/v2.2/numbers", numbers.NumberBody, numbers.add_number),
    plain("GET", "/v2.2/numbers", numbers.list_numbers),
    plain("DELETE", "/v2.2/numbers/{number}/fax", number_settings.remove_fax),
    with_body("PUT", "/v2.2/numbers/{number}/fax", number_settings.FaxBody, number_settings.set_fax),
    plain("GET", "/v2.2/numbers/{number}/fax", number_settings.show_fax),
    with_body("PUT", "/v2.2/numbers/{number}/cnam", number_settings.CnamBody, number_settings.set_cnam),
    with_body(
        "PUT",
        "/v2.2/numbers/{number}/translation",
        number_settings.TranslationBody,
        number_settings.set_translation,
    ),
    plain("DELETE", "/v2.2/numbers/{number}/sms", number_settings.remove_sms),
    with_body("PUT", "/v2.2/numbers/{number}/sms", number_settings.SmsBody, number_settings.set_sms),
    plain("GET", "/v2.2/numbers/{number}/sms", number_settings.show_sms),
    with_body("PUT", "/v2.2/numbers/{number}/route", number_settings.RouteBody, number_settings.set_route),
    plain("DELETE", "/v2.2/numbers/{number}/forward", number_settings.remove_forward),
    with_body("PUT", "/v2.2/numbers/{number}/forward", number_settings.ForwardBody, number_settings.set_forward),
    with_query(
        "DELETE",
        "/v2.2/numbers/messaging-campaign",
        number_messaging.BulkUnassignQuery,
        number_messaging.unassign_campaign_in_bulk,
    ),
    with_body("PATCH", "/v2.2/numbers/{number}", numbers.MoveBody, numbers.move_number),
    plain("DELETE", "/v2.2/numbers/{number}", numbers.delete_number),
    plain("GET", "/v2.2/numbers/{number}", numbers.show_number),
    with_body("PUT", "/v2.2/numbers/{number}/lidb", number_settings.LidbBody, number_settings.set_lidb),
    with_body("PATCH", "/v2.2/numbers/{number}/messaging", number_messaging.RoutesBody, number_messaging.change_routes),
    plain("GET", "/v2.2/numbers/{number}/messaging", number_messaging.show_messaging),
    plain("POST", "/v2.2/numbers/{number}/release", numbers.release_number),
    with_query(
        "DELETE",
        "/v2.2/numbers/{number}/messaging-campaign",
        number_messaging.UnassignQuery,
        number_messaging.unassign_campaign,
    ),
    with_body(
        "PUT",
        "/v2.2/numbers/{number}/messaging-campaign",
        number_messaging.AssignBody,
        number_messaging.assign_campaign,
    ),
    with_body(
        "PATCH", "/v2.2/numbers/{number}/port-out-pin", number_settings.PinBody, number_settings.set_port_out_pin
    ),
)

SUPPORT = (
    with_body("POST", "/v2.2/support/tickets/{id}/replies", support.ReplyBody, support.reply_to_ticket),
    plain("GET", "/v2.2/support/tickets/{id}/messages", support.list_threads),
    plain("DELETE", "/v2.2/support/tickets/{id}", support.delete_ticket, admin=True),
    with_body("PUT", "/v2.2/support/tickets/{id}", support.StatusBody, support.set_ticket_status),
    plain("GET", "/v2.2/support/tickets/{id}", support.show_ticket),
    with_body("POST", "/v2.2/support/tickets", support.TicketBody, support.create_ticket),
    plain("GET", "/v2.2/support/tickets", support.list_tickets),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *ACCOUNT,
    *ACCESS,
    *E911,
    *GATEWAYS,
    *NUMBERING,
    *LOOKUPS,
    *MESSAGING,
    *NUMBERS,
    *SUPPORT,
)
