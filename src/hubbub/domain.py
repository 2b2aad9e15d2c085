"""
The names that you need to write your own feature.

A feature is a service, the states that its streams fold into, and a :class:`Feature` that
declares them. See the tutorial "Your own feature" and the reference of this module.
"""

from __future__ import annotations

from .event_samples import sample
from .feature import (
    Adoption,
    Erasure,
    Feature,
    Hook,
    Host,
    RemoteCache,
    RemoteCall,
    Rule,
    WebhookRoute,
)
from .journal.actor import Actor
from .journal.command import Command, nothing
from .journal.decide.states import States
from .journal.event import Data, Draft, Event, PartedState, Signal, State
from .journal.link import Linked, Links, Unlinked
from .method import Arguments
from .permissions import Grant
from .quotas import Quota
from .ratelimit import RateLimit, StoredRateLimit, rate_limit
from .service import (
    Service,
    check_limit,
    check_seq,
    check_user_id,
    command,
    query,
    slow_command,
    slow_query,
)

__all__ = [
    "Actor",
    "Adoption",
    "Arguments",
    "Command",
    "Data",
    "Draft",
    "Erasure",
    "Event",
    "Feature",
    "Grant",
    "Hook",
    "Host",
    "Linked",
    "Links",
    "PartedState",
    "Quota",
    "RateLimit",
    "RemoteCache",
    "RemoteCall",
    "Rule",
    "Service",
    "Signal",
    "State",
    "States",
    "StoredRateLimit",
    "Unlinked",
    "WebhookRoute",
    "check_limit",
    "check_seq",
    "check_user_id",
    "command",
    "nothing",
    "query",
    "rate_limit",
    "sample",
    "slow_command",
    "slow_query",
]
