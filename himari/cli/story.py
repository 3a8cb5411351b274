"""What a person, or with `--json` a program, is told of a failure: never a bare traceback."""

import shlex
import tempfile
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import msgspec
import typer

from himari.cli.output import print_json
from himari.runs.refusal import refusal
from himari.runs.steps import StepError
from himari.stack.errors import FAULT, INTERRUPTED, CapacityError, HimariError, StackFileError

# What a file says wrong is mended in the file: to repeat a step before that shows nothing.
OF_THE_FILE = (StackFileError.exit_code, CapacityError.exit_code)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A command that failed: what, where, what was expected, what to do next, and where a run stood."""

    error: str
    exit_code: int
    where: str = ""
    expected: str = ""
    hint: str = ""
    step: str = ""
    done: tuple[str, ...] = ()
    replay: str = ""
    resume: str = ""


def tell(error: BaseException, argv: Sequence[str]) -> int:
    """Tell of `error` on stderr, and on stdout when `argv` asks for JSON; the exit code."""
    told = failure(error, argv)
    typer.echo("\n".join(_lines(told)), err=True)
    if "--json" in takewhile(lambda word: word != "--", argv):  # what follows is another command's
        print_json(told)
    return told.exit_code


def failure(error: BaseException, argv: Sequence[str]) -> Failure:
    """The failure that `error` stands for; a fault of ours leaves a log."""
    resume = shlex.join(("himari", *argv))
    if isinstance(error, StepError):
        told = failure(error.__cause__ or error, argv)
        done = tuple(item.step for item in error.done)
        replay = "" if told.exit_code in OF_THE_FILE else error.step.replay
        return msgspec.structs.replace(told, step=error.step.name, done=done, replay=replay, resume=resume)
    if isinstance(error, typer.Abort) and error.args:  # a person said no: there is nothing to resume
        return Failure(error=str(error), exit_code=INTERRUPTED)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return Failure(error="stopped", exit_code=INTERRUPTED, resume=resume)
    if isinstance(error, typer.TyperException):
        return _usage(error)
    known = refusal(error) or error
    if isinstance(known, HimariError):
        return Failure(
            error=known.what, exit_code=known.exit_code, where=known.where, expected=known.expected, hint=known.hint
        )
    says = f"a fault of Himari itself: {type(error).__name__}: {error}"
    log = str(_write_log(error, argv))
    return Failure(error=says, exit_code=FAULT, where=log, hint="please report it with that file")


def _lines(told: Failure) -> list[str]:
    if told.error.startswith("Usage:"):  # a group without a verb: the message is its help
        return [told.error]
    step = f"{told.step}, after {', '.join(told.done) or 'none'}" if told.step else ""
    said = {"where": told.where, "expected": told.expected, "hint": told.hint, "step": step}
    said |= {"replay": told.replay, "resume": told.resume}
    return [f"himari: {told.error}", *(f"  {label}: {text}" for label, text in said.items() if text)]


def _usage(error: typer.TyperException) -> Failure:
    message, context = error.format_message(), getattr(error, "ctx", None)
    hint = f"`{context.command_path if context else 'himari'} --help`"
    return Failure(error=message, exit_code=error.exit_code, hint=hint)


def _write_log(error: BaseException, argv: Sequence[str]) -> Path:
    import traceback
    from datetime import UTC, datetime

    text = f"{shlex.join(argv)}\n\n{''.join(traceback.format_exception(error))}"
    path = _folder() / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.log"
    path.write_text(text)
    return path


def _folder() -> Path:
    """Where logs go: beside the stacks' state, or to a folder of its own where that cannot be written."""
    from himari.stack.paths import state_root

    folder = state_root() / "faults"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="himari-faults-"))
    return folder
