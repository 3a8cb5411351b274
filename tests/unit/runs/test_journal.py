import os
import signal
import subprocess
import sys
from pathlib import Path

from himari.runs.journal import KEPT, Closed, Finished, Journal, Opened, Started, last_journal, now, read_journal

WRITE_FOREVER = """
import sys
from pathlib import Path
from himari.runs.journal import Finished, Journal, now
with Journal.create(Path(sys.argv[1]), "up") as journal:
    for number in range(10**9):
        journal.append(Finished(at=now(), step=f"step{number}", seconds=0.5, changed=("edge: /etc/x",)))
        print(number, flush=True)
"""


def test_what_was_appended_survives_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(20)][-1]
        os.kill(process.pid, signal.SIGKILL)
    lines = last_journal(tmp_path, "up")
    assert [line.step for line in lines if isinstance(line, Finished)] == [f"step{n}" for n in range(len(lines))]
    assert len(lines) > told


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "up") as journal:
        journal.append(Started(at=now(), step="plan"))
    with journal.path.open("ab") as file:
        file.write(b'{"event":"finished","at":"2026-')
    assert [line.step for line in read_journal(journal.path) if isinstance(line, Started)] == ["plan"]
    assert len(read_journal(journal.path)) == 1


def test_the_newest_journal_of_the_verb_is_read(tmp_path: Path) -> None:
    for pid in (1, 2):
        with Journal.create(tmp_path, "up") as journal:
            journal.append(Opened(at=now(), verb="up", command="himari up tokyo", pid=pid, inputs="a"))
    with Journal.create(tmp_path, "destroy") as journal:
        journal.append(Closed(at=now(), seconds=1.0, exit_code=0))
    [line] = last_journal(tmp_path, "up")
    assert isinstance(line, Opened)
    assert line.pid == 2


def test_journals_do_not_pile_up(tmp_path: Path) -> None:
    for _ in range(KEPT + 3):
        with Journal.create(tmp_path, "up"):
            pass
    assert len(list(tmp_path.glob("*.jsonl"))) == KEPT
