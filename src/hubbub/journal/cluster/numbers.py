"""The numbers of the frames that came from other nodes, by which a node notices what is lost."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from .bus import SHARDS
from .frames import Frame

__all__ = ["SENDERS_MAX", "FrameNumbers"]

# Nodes whose numbers are known; of more, the node that was silent for longest is forgotten.
SENDERS_MAX = 1_024


class FrameNumbers:
    """The number of the last frame of each node and shard."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, list[int]] = OrderedDict()

    def is_new(self, frame: Frame) -> bool:
        """Return whether a frame has not come before; an overtaken frame counts as lost."""
        last = self._last.get(frame.node)
        return last is None or frame.beat is not None or frame.number > last[frame.shard]

    def note(self, frame: Frame) -> bool:
        """Note a frame or a heartbeat; return whether frames before it are missing."""
        last = self._of(frame.node)
        known = last[frame.shard]
        last[frame.shard] = max(known, frame.number)
        # A heartbeat has the number of the last frame, and none of its own.
        return frame.number > (known if frame.beat is not None else known + 1)

    def forget(self, nodes: Iterable[str]) -> None:
        """Forget nodes that are gone."""
        for node in nodes:
            self._last.pop(node, None)

    def _of(self, node: str) -> list[int]:
        if (last := self._last.get(node)) is None:
            last = self._last[node] = [0] * SHARDS
            if len(self._last) > SENDERS_MAX:
                self._last.popitem(last=False)
        else:
            self._last.move_to_end(node)
        return last
