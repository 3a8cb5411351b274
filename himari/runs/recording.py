"""The recording on the exchange host: uploaded once, named by its digest."""

import gzip
from pathlib import Path
from shlex import join, quote
from typing import IO

from himari.catalog.component import Feed
from himari.catalog.exchange import UNIT
from himari.catalog.hostpaths import EXCHANGE_STATE
from himari.runs.progress import Report
from himari.runs.steps import Outcome
from himari.ssh.connection import Reach, reach
from himari.stack.errors import DeployError
from himari.stack.known import read_known
from himari.stack.model import Role, Stack
from himari.stack.paths import StateDir

TIMEOUT_S = 600.0
NOTE = f"{EXCHANGE_STATE}/replay.json"  # when the exchange began to replay which recording
ABSENT = "absent"
# One command, as an unchanged `up` pays for it each time: `again` runs where the recording is there already.
LOOK = """echo "{sha256}  "{path} | sha256sum --status -c - 2>/dev/null || {{ echo {absent}; exit 0; }}
exec {again}"""
UPLOAD = """set -e
path={path}
mkdir -p "${{path%/*}}"
cat > "$path.part"
echo "{sha256}  $path.part" | sha256sum --status -c -
chmod 0644 "$path.part"
mv "$path.part" "$path"
"""
# A replay goes on over restarts; one that is over, or would be before the proof is, begins anew without its note.
# Arguments: the note, the recording's sha256, and for how many seconds after its start there is enough left of it.
AGAIN = """import json, pathlib, subprocess, sys, time
note = pathlib.Path(sys.argv[1])
try:
    start = json.loads(note.read_text())
    over = start["recording"] == sys.argv[2] and time.time() - start["started_ns"] / 1e9 > float(sys.argv[3])
except (FileNotFoundError, ValueError, KeyError, TypeError):
    over = False
if over:
    note.unlink()
    subprocess.run(["systemctl", "restart", sys.argv[4]], check=True)
    print("again")
"""
PROOF_S = 120.0  # what a proof takes of a recording at most; of a short one half is left


def put_recording(stack: Stack, state: StateDir, feed: Feed, recording: Path, report: Report) -> Outcome:
    """Make `recording` lie on each exchange host, and begin anew where its replay is over.

    Raises DeployError when it did not arrive whole."""
    seconds = span_seconds(recording) / feed.speed
    again = ("python3", "-c", AGAIN, NOTE, feed.recording_sha256, str(max(seconds - PROOF_S, seconds / 2)), UNIT)
    words = {
        "path": quote(feed.recording_path),
        "sha256": feed.recording_sha256,
        "again": join(again),
        "absent": ABSENT,
    }
    known = read_known(state.hosts)
    changed = []
    for name in stack.hosts_with(Role.EXCHANGE):
        there = reach(name, known, state)
        report(name, f"looks for {recording.name}")
        found = _run(there, LOOK.format(**words))
        if found == ABSENT:
            report(name, f"takes {recording.name}")
            with recording.open("rb") as content:
                _run(there, UPLOAD.format(**words), content)
            changed.append(f"{name}: recording {recording.name}")
            found = _run(there, LOOK.format(**words))
        changed += [f"{name}: recording {recording.name} from its beginning"] if found else []
    return Outcome(changed=tuple(changed))


def _run(there: Reach, script: str, content: IO[bytes] | None = None) -> str:
    """What `script` says as root. Raises DeployError when it fails."""
    result = there.run(there.as_root(f"sh -c {quote(script)}"), content, timeout=TIMEOUT_S)
    if result.code:
        what = "did not arrive" if content else "is there and could not begin anew"
        raise DeployError(f"the recording {what}: {result.err.strip()}", there.host_name, hint="run it again")
    return result.out.strip()


def span_seconds(recording: Path) -> float:
    """The time between the first and the last frame of `recording`, which has been checked."""
    with gzip.open(recording) as lines:
        first = last = int(next(lines).split(b" ", 1)[0])
        for line in lines:
            last = int(line.split(b" ", 1)[0])
    return (last - first) / 1e9
