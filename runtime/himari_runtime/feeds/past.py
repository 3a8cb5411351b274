"""What a feed goes on from."""

from collections.abc import Mapping

import msgspec

from himari_runtime.messages import Gap, Mark


class Past(msgspec.Struct, frozen=True):
    """The run before: the ends of its channels by mark key, the gaps in trades that it left, whether there was one."""

    marks: Mapping[str, Mark] = {}
    unfilled: tuple[Gap, ...] = ()
    restarted: bool = False
