"""The agent's verbs: `state`, `activate`, `confirm`, `content`. One JSON object comes out, as the last line."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from himari.apply.agent import guard, state
from himari.apply.agent.activate import Activator
from himari.apply.agent.command import StepError
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Failure, Query, Report, activation


def main(verb: str, request: dict[str, Any]) -> None:
    """Do `verb`; what failed is part of the answer, not an exit code."""
    os.umask(0o022)
    sys.stdout.write(json.dumps(_VERBS[verb](request, Places())) + "\n")


def _state(request: dict[str, Any], places: Places) -> dict[str, Any]:
    return asdict(state.read(Query(**request), places))


def _activate(request: dict[str, Any], places: Places) -> dict[str, Any]:
    places.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (places.run / "lock").open("w") as lock:
        try:
            # An activation whose operator went away may still be at work.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return asdict(Report([], Failure("lock", "another activation is at work on this host", [])))
        return asdict(Activator(activation(request), places).perform())


def _confirm(request: dict[str, Any], places: Places) -> dict[str, Any]:
    try:
        guard.confirm(request["token"], places)
    except StepError as failed:
        return asdict(Report([], Failure("confirm", failed.what, failed.lines)))
    return asdict(Report([]))


def _content(request: dict[str, Any], places: Places) -> dict[str, Any]:
    present = (path for path in request["paths"] if Path(path).is_file())
    return {path: base64.b64encode(Path(path).read_bytes()).decode() for path in present}


_VERBS = {"state": _state, "activate": _activate, "confirm": _confirm, "content": _content}
