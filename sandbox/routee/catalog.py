"""Every operation of the simulated Routee, each declared above its function with what it rests on."""

from sandbox.frame.endpoint import declared_in
from sandbox.routee.endpoint import Operation
from sandbox.routee.operations import (
    account,
    call_control,
    campaigns,
    contacts,
    conversations,
    failover,
    groups,
    lookups,
    pools,
    rented_numbers,
    reports,
    sms,
    two_step,
    viber,
    voice_campaigns,
)

ENDPOINTS = declared_in(
    Operation,
    *(sms, campaigns, rented_numbers, pools, viber, failover),
    *(conversations, call_control, voice_campaigns),
    *(account, reports, contacts, groups, two_step, lookups),
)
