"""The agent's verbs: state, activate, confirm, content, strip. One JSON object comes out, as the last line."""

from __future__ import annotations

import base64
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from himari.apply.agent import guard, state, strip
from himari.apply.agent.activate import Activator
from himari.apply.agent.alone import PATIENCE_SECONDS, alone
from himari.apply.agent.failures import failure
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Failure, Query, Report, Strip, activation


def main(verb: str, request: dict[str, Any]) -> None:
    """Do `verb`; what failed is part of the answer, not an exit code."""
    os.umask(0o022)
    sys.stdout.write(json.dumps(answer(verb, request, Places())) + "\n")


def answer(verb: str, request: dict[str, Any], places: Places) -> dict[str, Any]:
    """What `verb` gives, or a Report with the failure that ended it."""
    try:
        return _VERBS[verb](request, places)
    except Exception as error:
        return asdict(Report([], failure(verb, error)))


def _state(request: dict[str, Any], places: Places) -> dict[str, Any]:
    # What is half done would be told as different, and what waits for its confirmation as done.
    with alone(places):
        return asdict(state.read(Query(**request), places))


def _activate(request: dict[str, Any], places: Places) -> dict[str, Any]:
    with alone(places) as ours:
        return asdict(Activator(activation(request), places).perform() if ours else _busy())


def _confirm(request: dict[str, Any], places: Places) -> dict[str, Any]:
    guard.confirm(request["token"], places)
    return asdict(Report([]))


def _strip(request: dict[str, Any], places: Places) -> dict[str, Any]:
    # An activation of a killed run may still be at work, and would put back what is removed.
    with alone(places) as ours:
        return asdict(strip.strip(Strip(**request), places) if ours else _busy())


def _busy() -> Report:
    busy = f"another activation is at work on this host for more than {PATIENCE_SECONDS} s"
    return Report([], Failure("lock", busy, ["systemctl status ssh.service shows its processes"]))


def _content(request: dict[str, Any], places: Places) -> dict[str, Any]:
    present = (path for path in request["paths"] if Path(path).is_file())
    return {path: base64.b64encode(Path(path).read_bytes()).decode() for path in present}


_VERBS = {
    "state": _state,
    "activate": _activate,
    "confirm": _confirm,
    "strip": _strip,
    "content": _content,
}
