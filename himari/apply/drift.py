"""How the content of a host's files differs from what it shall be."""

import base64
import difflib
from collections.abc import Iterator, Sequence

from himari.apply import bundle
from himari.apply.agent.wire import Failure
from himari.apply.answer import read_answer, unread
from himari.apply.render import Rendered
from himari.ssh.connection import Reach
from himari.stack.errors import HostError

_READABLE_BY_ALL = 0o004


def file_diffs(reach: Reach, files: Sequence[Rendered]) -> Iterator[str]:
    """Unified diffs, line by line, of those of `files` that everybody may read; one command for all of them."""
    public = [each for each in files if each.file.mode & _READABLE_BY_ALL]
    held = _contents(reach, [each.file.path for each in public]) if public else {}
    for each in public:
        old, new = held.get(each.file.path, b""), each.content
        names = (f"{reach.host_name}:{each.file.path}", f"expected:{each.file.path}")
        yield from difflib.unified_diff(_lines(old), _lines(new), *names, lineterm="")


def _contents(reach: Reach, paths: list[str]) -> dict[str, bytes]:
    result = reach.run(
        reach.as_root(bundle.COMMAND), "".join(bundle.stream("content", {"paths": paths})).encode(), timeout=60
    )
    if result.code:
        raise HostError(f"its files cannot be read: {result.err.strip()}", reach.host_name)
    answer = read_answer(result.out.splitlines()[-1], dict[str, str])
    if isinstance(answer, Failure):
        raise unread("its files", answer, reach.host_name)
    return {path: base64.b64decode(content) for path, content in answer.items()}


def _lines(content: bytes) -> list[str]:
    return content.decode(errors="replace").splitlines()
