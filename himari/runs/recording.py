"""The recording on the exchange host: uploaded once, named by its digest."""

import gzip
from pathlib import Path
from shlex import join, quote

from himari.apply.ssh import reach
from himari.catalog.component import Feed
from himari.catalog.exchange import UNIT
from himari.catalog.hostpaths import EXCHANGE_STATE
from himari.runs.progress import Report
from himari.runs.steps import Outcome
from himari.stack.errors import DeployError
from himari.stack.known import read_known
from himari.stack.model import Role, Stack
from himari.stack.paths import StateDir

TIMEOUT_S = 600.0
NOTE = f"{EXCHANGE_STATE}/replay.json"  # when the exchange began to replay which recording
UPLOAD = """set -e
path={path}
echo "{sha256}  $path" | sha256sum --status -c - 2>/dev/null && exit 0
mkdir -p "${{path%/*}}"
cat > "$path.part"
echo "{sha256}  $path.part" | sha256sum --status -c -
chmod 0644 "$path.part"
mv "$path.part" "$path"
echo uploaded"""
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
    known = read_known(state.hosts)
    script = UPLOAD.format(path=quote(feed.recording_path), sha256=feed.recording_sha256)
    changed = []
    for name in stack.hosts_with(Role.EXCHANGE):
        report(name, f"takes {recording.name}")
        there = reach(name, known, state)
        result = there.run(there.as_root(f"sh -c {quote(script)}"), recording.read_bytes(), timeout=TIMEOUT_S)
        if result.code:
            raise DeployError(f"the recording did not arrive: {result.err.strip()}", name, hint="run it again")
        changed += [f"{name}: recording {recording.name}"] if result.out else []
        begun = there.run(there.as_root(join(again)), timeout=TIMEOUT_S)
        if begun.code:
            raise DeployError(f"its replay could not begin anew: {begun.err.strip()}", name, hint="run it again")
        changed += [f"{name}: recording {recording.name} from its beginning"] if begun.out else []
    return Outcome(changed=tuple(changed))


def span_seconds(recording: Path) -> float:
    """The time between the first and the last frame of `recording`, which has been checked."""
    with gzip.open(recording) as lines:
        first = last = int(next(lines).split(b" ", 1)[0])
        for line in lines:
            last = int(line.split(b" ", 1)[0])
    return (last - first) / 1e9
