"""The features of a hub or of a client, and what they declare together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from .errors import Invalid
from .feature import Feature
from .feature_checks import check_feature
from .guard import Hooks
from .journal.event import STREAM_BYTES_MAX, State, Streams
from .journal.schedule import SCHEDULE_READERS, Schedule
from .method import Method
from .permissions import ANYONE, ARTICLE, ROLES, Grant, Permissions
from .players import IndexLinks
from .ratelimit import RateLimit
from .service import methods_of
from .settings import Settings

__all__ = ["JOURNAL_READERS", "JOURNAL_STREAMS", "USERS_NAME", "FeatureSet"]

logger = logging.getLogger("hubbub")

# Streams that belong to no feature: indexes of streams, and the hub's own schedule.
JOURNAL_STREAMS: Mapping[str, type[State]] = {"index": IndexLinks, "agenda": Schedule}
JOURNAL_READERS: Mapping[str, Grant] = {"index": ANYONE, "agenda": SCHEDULE_READERS}
# The feature that every hub has: a session belongs to a user.
USERS_NAME = "users"


class FeatureSet:
    """
    A checked list of features, and what they declare together.

    Args:
        features: in the order in which their hooks and checks run.

    Raises:
        Invalid: a feature has a mistake, or two features conflict.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        for feature in features:
            check_feature(feature)
        self._features = {feature.name: feature for feature in features}
        if len(self._features) < len(features):
            raise Invalid(
                f"Two features have the name {_first_twice(features)!r}; rename one of them."
            )
        self.streams = dict(JOURNAL_STREAMS)
        for feature in features:
            self._add_streams(feature)
        self.methods: Mapping[str, Method] = {
            name: method
            for feature in features
            for name, method in methods_of(feature.service).items()
        }
        self._check_methods(features)
        self.roles = {name: role for one in features for name, role in one.roles.items()}
        self.grants: Mapping[str, Grant] = {name: self._grant(name) for name in self.methods}
        self.readers = {**JOURNAL_READERS}
        for feature in features:
            self.readers |= feature.readers
        _check_quotas(features)
        self.quotas = {name: quota for one in features for name, quota in one.quotas.items()}
        self.limits: dict[str, Callable[[Settings], RateLimit]] = {}
        for feature in features:
            self._add_limits(feature)
        self.limits |= {quota.name: quota.new_limit for quota in self.quotas.values()}
        self.traffic = {kind: name for one in features for kind, name in one.traffic.items()}
        self.erasures = {kind: one for f in features for kind, one in f.erasure.events.items()}
        self.renamed = {kind for feature in features for kind in feature.erasure.renamed}
        self.hooks: Mapping[str, Hooks] = self._hooks(features)

    def __iter__(self) -> Iterator[Feature]:
        """Yield the features, ``users`` first: the others may ask who is connected."""
        return iter(sorted(self._features.values(), key=lambda one: one.name != USERS_NAME))

    def __contains__(self, name: object) -> bool:
        return name in self._features

    def get(self, name: str) -> Feature | None:
        """Return a feature by its name, or None."""
        return self._features.get(name)

    def check_options(self, options: Mapping[str, object]) -> None:
        """
        Return if every option belongs to one of the features.

        Raises:
            Invalid: an option belongs to none of them.
        """
        known = {name for feature in self for name in feature.options}
        for name, value in options.items():
            if value is not None and name not in known:
                raise Invalid(f"No feature of this hub takes the option {name}=; add its feature.")

    def permissions(self, required: Mapping[str, str]) -> Permissions:
        """
        Return which methods each role cannot call.

        Args:
            required: a method -> the lowest role that the application requires for it.

        Raises:
            Invalid: the method or the role does not exist.
        """
        for command, role in required.items():
            if command not in self.methods or role not in ROLES:
                raise Invalid(
                    "required_roles maps a method to the role user, moderator or admin; "
                    f"it has {command!r}: {role!r}."
                )
        return Permissions(self.grants, {**self.roles, **required})

    def new_streams(self, settings: Settings) -> Streams:
        """Return the kinds of stream, and how long their names can be."""
        return Streams(self.streams, stream_bytes_max(settings.name_chars_max))

    def new_limit(self, settings: Settings, what: str) -> RateLimit:
        """
        Make the rate limit that a decision charges by name.

        Raises:
            LookupError: no feature has this limit, which is a bug of the decision: the
                command of its caller fails, and no other.
        """
        if (limit := self.limits.get(what)) is None:
            raise LookupError(
                f"No feature of this hub has a limit named {what!r}; add it to Feature(limits=…)."
            )
        return limit(settings)

    def _add_streams(self, feature: Feature) -> None:
        for kind, state in feature.streams.items():
            if kind in self.streams:
                raise Invalid(
                    f"Feature {feature.name!r} has streams of the kind {kind!r}, which belong to "
                    "another feature; rename the kind."
                )
            self.streams[kind] = state

    def _add_limits(self, feature: Feature) -> None:
        for name, limit in feature.limits.items():
            if name in self.limits:
                raise Invalid(
                    f"Feature {feature.name!r} has a limit named {name!r}, which belongs to "
                    "another feature; rename the limit."
                )
            self.limits[name] = limit

    def _check_methods(self, features: Sequence[Feature]) -> None:
        for feature in features:
            of_what = {
                "roles": feature.roles,
                "check": feature.check,
                "before": feature.before,
                "quotas": feature.quotas,
            }
            for what, table in of_what.items():
                for name in table:
                    if name not in self.methods:
                        self._check_left_out(feature, what, name)

    def _check_left_out(self, feature: Feature, what: str, name: str) -> None:
        if name.partition(".")[0] in self._features:
            raise Invalid(
                f"Feature {feature.name!r} has {what} for {name!r}, but this method does not "
                "exist; use a name like chat.send."
            )
        # The hooks and checks of a feature that you leave out are left out with it.
        logger.warning(
            "feature %r has %s for %r, but that feature is not installed; it has no effect",
            feature.name,
            what,
            name,
        )

    def _grant(self, name: str) -> Grant:
        feature = self._features[name.partition(".")[0]]
        if (grant := feature.grants.get(name)) is not None:
            return grant
        role = self.roles.get(name, "user")
        return ANYONE if role == "user" else Grant((role,), f"Only {ARTICLE[role]} can do this.")

    def _hooks(self, features: Sequence[Feature]) -> Mapping[str, Hooks]:
        names = {name for one in features for name in (*one.before, *one.check)}
        return {
            name: Hooks(
                [(one.name, one.before[name]) for one in features if name in one.before],
                [(one.name, one.check[name]) for one in features if name in one.check],
            )
            for name in names
        }


def _check_quotas(features: Sequence[Feature]) -> None:
    for feature in features:
        for name, quota in feature.quotas.items():
            for setting in (quota.limit, quota.period):
                if setting not in Settings.__struct_fields__:
                    raise Invalid(
                        f"Feature {feature.name!r} counts {name} against the setting {setting!r}, "
                        "which does not exist; use a field of hubbub.Settings."
                    )


def _first_twice(features: Sequence[Feature]) -> str:
    names = [feature.name for feature in features]
    return next(name for name in names if names.count(name) > 1)


def stream_bytes_max(name_chars_max: int) -> int:
    """Return the longest name of a stream: room for two names of four bytes a character."""
    return max(STREAM_BYTES_MAX, 8 * name_chars_max + 64)
