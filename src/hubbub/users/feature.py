"""Users: profiles, presence and accounts. Every hub has them: a session is a user's."""

from __future__ import annotations

from ..feature import Erasure, Feature
from ..quotas import CHANGES, SIGNALS, Quota
from .account import AccountState
from .attempts import ATTEMPT_LIMITS
from .erasing import ERASED_EVENTS
from .grants import USERS_GRANTS, USERS_READERS
from .profiles import Profiles
from .runtime import running_users
from .service import Users
from .user import UserState

__all__ = ["USERS"]

ACCOUNTS = Quota("new accounts", "accounts_per_address", by_user=False)

USERS = Feature(
    name="users",
    service=Users,
    streams={"user": UserState, "account": AccountState},
    runtime=running_users,
    grants=USERS_GRANTS,
    readers=USERS_READERS,
    quotas={
        "users.create_account": ACCOUNTS,
        "users.set_away": SIGNALS,
        "users.update": CHANGES,
    },
    limits=ATTEMPT_LIMITS,
    remote=Profiles,
    erasure=Erasure(ERASED_EVENTS, frozenset({"account"})),
)
