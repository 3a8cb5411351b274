"""`destroy`: remove what a stack made, whole or half, and say what is left."""

from collections.abc import Iterator, Sequence

import msgspec

from himari.apply.agent.wire import Stripped
from himari.lab import lab
from himari.lab.identity import Lab
from himari.runs.create import lab_hosts
from himari.runs.forget import forget
from himari.runs.intent import host_names, known_hosts, stays
from himari.runs.progress import Listener, Report
from himari.runs.put import Put, asked_for, forget_put, read_put
from himari.runs.report import DestroyReport
from himari.runs.session import session
from himari.runs.steps import Outcome, Step
from himari.runs.strip import at_once, refusal, refuse_answering, strip
from himari.ssh import connection
from himari.ssh.config import write_config
from himari.stack.errors import LEFT, HimariError
from himari.stack.known import Known, KnownHost, read_known, write_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

UNNOTED = "its units, which were put before such were noted: put it back into the stack file, and repeat"


class Removal:
    """A destroy on its way; `gone` are hosts to give up, `argv` is the command."""

    def __init__(self, stack: Stack, argv: Sequence[str], gone: Sequence[str]) -> None:
        self.stack = stack
        self.state = StateDir.of(stack.name)
        self.left: list[str] = []
        self.stays: list[str] = []
        self._argv, self._gone = argv, gone

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        yield Step(name="hosts", work=self._hosts)
        if lab_hosts(self.stack):
            yield Step(name="lab", work=self._lab)
        yield Step(name="notes", work=self._notes)

    def _hosts(self, report: Report) -> Outcome:
        known = known_hosts(self.stack, self.state)
        if known:  # hosts.json may have been mended by hand since ssh's own files were written
            write_config(self.stack, known, self.state)
        if lab_hosts(self.stack):
            connection.close(known, self.state)
            return Outcome()
        refuse_answering([name for name in self._gone if name in known], known, self.state, report)
        known = self._give_up(known)
        removed = self._strip_all(known, report)
        connection.close(known, self.state)
        return _outcome(removed, self.left)

    def _give_up(self, known: Known) -> Known:
        """Forget the hosts that are gone; those that are still known."""
        kept = {name: host for name, host in known.items() if name not in self._gone}
        if kept != known:
            write_known(self.state.hosts, kept)
            forget_put(self.state, self._gone)
        return kept

    def _strip_all(self, known: Known, report: Report) -> list[str]:
        """Strip all of `known`; what was removed. Raises one error for all that failed."""
        names = [name for name in host_names(self.stack, known) if name in known]
        # A host without its key is to be met anew, also when this is cut off before or after the key is gone.
        self._note({name: _unmet(known[name]) for name in names})
        put = read_put(self.state)

        def work(name: str) -> Stripped:
            report(name, "removes our units and their files")
            unnoted = [] if name in {*put, *self.stack.hosts} else [UNNOTED]
            wanted = put.get(name, Put()) + asked_for(self.stack, known, name)
            done = strip(self.stack.name, name, wanted, known, self.state)
            return Stripped(done.left + unnoted, done.keys)

        ended = at_once(names, work, report)
        failed = [outcome for outcome in ended.values() if isinstance(outcome, HimariError)]
        stripped = {name: outcome for name, outcome in ended.items() if not isinstance(outcome, HimariError)}
        self._note({name: msgspec.structs.replace(_unmet(known[name]), wireguard_key_made=False) for name in stripped})
        self._forget([name for name, done in stripped.items() if not done.left])
        if failed:
            raise refusal(failed, list(stripped), self._argv)
        self.left.extend(f"{name}: {line}" for name, done in stripped.items() for line in done.left)
        told = {name: _told(known[name], done) for name, done in stripped.items()}
        self.stays.extend(stays(self.stack, {**known, **told}, self._gone))
        return [_removed(name, host) for name, host in told.items()]

    def _forget(self, emptied: Sequence[str]) -> None:
        """Nothing of ours is on these hosts; those that the file names stay known, with their pinned keys."""
        forget_put(self.state, emptied)
        known = read_known(self.state.hosts)
        if over := set(emptied) - set(self.stack.hosts):
            write_known(self.state.hosts, {name: host for name, host in known.items() if name not in over})

    def _note(self, hosts: Known) -> None:
        if hosts:
            write_known(self.state.hosts, {**read_known(self.state.hosts), **hosts})

    def _lab(self, report: Report) -> Outcome:
        before = {one.host for one in lab.list_labs() if one.lab == Lab.of(self.stack.name, self.state).id}
        left = lab.destroy(self.stack.name, self.state)
        self.left.extend(left)
        return _outcome([f"{name}: removed" for name in sorted(before)], left)

    def _notes(self, report: Report) -> Outcome:
        return Outcome(changed=tuple(forget(self.stack, self.state)))


def destroy(stack: Stack, argv: Sequence[str], listener: Listener, gone: Sequence[str] = ()) -> DestroyReport:
    """Remove `stack`, also a half-made one; may be repeated. Hosts in `gone` are forgotten instead of stripped.

    Raises LockedError, or StepError."""
    removal = Removal(stack, argv, gone)
    with session(removal.state, argv, "", listener) as opened:
        done = opened.run(tuple(removal.steps()))
        opened.exit_code = LEFT if removal.left else 0
        return DestroyReport(
            stack=stack.name,
            removed=tuple(what for item in done for what in item.outcome.changed),
            left=tuple(removal.left),
            seconds=opened.seconds,
            stays=tuple(removal.stays),
        )


def _outcome(removed: Sequence[str], left: Sequence[str]) -> Outcome:
    """How a step ends that removed things: red when it left some."""
    return Outcome(changed=tuple(removed), says=f"left: {'; '.join(left)}" if left else "", red=bool(left))


def _unmet(host: KnownHost) -> KnownHost:
    return msgspec.structs.replace(host, wireguard_public_key="")


def _told(host: KnownHost, done: Stripped) -> KnownHost:
    """The host as it says itself: a run that was killed at first contact knows nothing of the key that it made."""
    return msgspec.structs.replace(host, wireguard_key_made=host.wireguard_key_made or bool(done.keys))


def _removed(name: str, host: KnownHost) -> str:
    key = ", and the WireGuard key that was made there" if host.wireguard_key_made else ""
    return f"{name}: units, files, tunnel, firewall and programs of ours{key}"
