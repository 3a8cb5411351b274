"""What a feed goes on from."""

from collections.abc import Mapping

import msgspec

from himari_runtime.messages import Gap, Mark
from himari_runtime.venues.sequence import Waiting


class Past(msgspec.Struct, frozen=True):
    """The run before: the ends of its channels by mark key, the gaps in trades that it left, the holes that it did not
    come to disclose, whether there was one."""

    marks: Mapping[str, Mark] = {}
    unfilled: tuple[Gap, ...] = ()
    waiting: Mapping[str, Waiting] = {}
    restarted: bool = False
