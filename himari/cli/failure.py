"""How a command fails: what, where, what was expected, what to do next, and an exit code; never a bare traceback."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from himari.runs.steps import StepError
    from himari.stack.errors import HimariError

FAULT = 70  # EX_SOFTWARE
INTERRUPTED = 130


def guarded(argv: Sequence[str], work: Callable[[], Any]) -> int:
    """Run `work` and turn whatever it raises into lines on stderr and an exit code."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return work() or 0
    except (KeyboardInterrupt, typer.Abort):
        return _stopped(argv)
    except typer.TyperException as error:
        return _usage(error)
    except BrokenPipeError:
        # Whoever read stdout went away; closing it here keeps the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _failed(error, argv)


def explain(error: "HimariError") -> str:
    """The lines that tell a person about `error`."""
    lines = [f"himari: {error.what}"]
    lines += [
        f"  {label}: {text}"
        for label, text in (("where", error.where), ("expected", error.expected), ("hint", error.hint))
        if text
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """Print `text` for a person, on stderr."""
    typer.echo(text, err=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # The first Ctrl-C lets the run close its journal; the second one ends the process where it stands.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise KeyboardInterrupt


def _usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if message.startswith("Usage:"):  # a group without a verb: the message is its help
        say(message)
    else:
        say(f"himari: {message}")
        say(f"  hint: `{context.command_path if context else 'himari'} --help`")
    return error.exit_code


def _failed(error: BaseException, argv: Sequence[str]) -> int:
    from himari.runs.steps import StepError
    from himari.stack.errors import HimariError

    if isinstance(error, StepError):
        return _step_failed(error, argv)
    if isinstance(error, HimariError):
        say(explain(error))
        return error.exit_code
    path = _write_log(error, argv)
    say(f"himari: a fault of Himari itself: {type(error).__name__}: {error}")
    say(f"  where: {path}")
    say("  hint: please report it with that file")
    return FAULT


def _step_failed(error: "StepError", argv: Sequence[str]) -> int:
    cause = error.__cause__ or error
    if isinstance(cause, KeyboardInterrupt):
        return _stopped(argv)
    code = _failed(cause, argv)
    say(f"  step: {error.step.name}, after {', '.join(done.step for done in error.done) or 'none'}")
    if error.step.replay:
        say(f"  replay: {error.step.replay}")
    say(f"  resume: {shlex.join(('himari', *argv))}")
    return code


def _stopped(argv: Sequence[str]) -> int:
    say("himari: stopped")
    say(f"  resume: {shlex.join(('himari', *argv))}")
    return INTERRUPTED


def _write_log(error: BaseException, argv: Sequence[str]) -> "Path":
    import traceback
    from datetime import UTC, datetime

    from himari.stack.paths import state_root

    folder = state_root() / "faults"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.log"
    path.write_text(f"{shlex.join(argv)}\n\n{''.join(traceback.format_exception(error))}")
    return path
