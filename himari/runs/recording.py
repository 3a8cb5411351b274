"""The recording on the exchange host: uploaded once, named by its digest."""

from pathlib import Path
from shlex import quote

from himari.apply.ssh import reach
from himari.catalog.component import Feed
from himari.runs.progress import Report
from himari.runs.steps import Outcome
from himari.stack.errors import DeployError
from himari.stack.known import read_known
from himari.stack.model import Role, Stack
from himari.stack.paths import StateDir

TIMEOUT_S = 600.0
UPLOAD = """set -e
path={path}
echo "{sha256}  $path" | sha256sum --status -c - 2>/dev/null && exit 0
mkdir -p "${{path%/*}}"
cat > "$path.part"
echo "{sha256}  $path.part" | sha256sum --status -c -
chmod 0644 "$path.part"
mv "$path.part" "$path"
echo uploaded"""


def put_recording(stack: Stack, state: StateDir, feed: Feed, recording: Path, report: Report) -> Outcome:
    """Make `recording` lie on each exchange host. Raises DeployError when it did not arrive whole."""
    known = read_known(state.hosts)
    script = UPLOAD.format(path=quote(feed.recording_path), sha256=feed.recording_sha256)
    changed = []
    for name in stack.hosts_with(Role.EXCHANGE):
        report(name, f"takes {recording.name}")
        result = reach(name, known, state).run(
            f"sudo -n sh -c {quote(script)}", recording.read_bytes(), timeout=TIMEOUT_S
        )
        if result.code:
            raise DeployError(f"the recording did not arrive: {result.err.strip()}", name, hint="run it again")
        changed += [f"{name}: recording {recording.name}"] if result.out else []
    return Outcome(changed=tuple(changed))
