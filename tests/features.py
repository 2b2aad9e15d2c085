"""The declarations of the features that come with Hubbub."""

from __future__ import annotations

from hubbub.feature_set import FeatureSet
from hubbub.features import FEATURES

ALL = FeatureSet(FEATURES)
STREAMS = ALL.streams
# A method -> who may call it; a kind of stream -> who may read it; a method -> its quota.
GRANTS, READERS, QUOTAS = ALL.grants, ALL.readers, ALL.quotas
