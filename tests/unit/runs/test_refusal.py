"""What the machine refuses is told as its own, and nothing else is."""

import errno
import os

import pytest

from himari.runs.refusal import refusal
from himari.runs.session import exit_code


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOTDIR])
def test_a_refusal_names_the_file_and_what_moves_it(number: int) -> None:
    error = OSError(number, os.strerror(number), "/var/lib/x")
    told = refusal(error)
    assert told is not None
    assert told.where == "/var/lib/x"
    assert os.strerror(number) in told.what
    assert "HIMARI_STATE" in told.hint
    assert exit_code(error) == 5


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "No such file"), ValueError("x")], ids=["missing", "value"])
def test_a_fault_of_ours_stays_one(error: Exception) -> None:
    assert refusal(error) is None
    assert exit_code(error) == 70
