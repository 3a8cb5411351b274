"""Who may log in, and as what."""

from himari.catalog.accounts import DEPLOY_USER, journal_mb
from himari.catalog.root import ENTRY
from himari.proof import readings
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.proof.questions import HASHES

SYSTEM_UID = 1000  # below it are accounts of the system
OF_A_SERVICE = 61184  # from here on systemd numbers the users that live as long as a service
OWNERS_OF_HASHES = {("root", "root"), ("root", "shadow")}
SHARED = ("/tmp", "/dev/shm")  # noqa: S108  looked at, not written to
IMAGES_FIRST = ("admin", "debian")  # whom a provider's image lets in first
SPARE = 1.1  # a file is filled before the oldest is removed
DEBIANS_OWN = {
    *(f"/usr/bin/{name}" for name in ("chage", "chfn", "chsh", "crontab", "expiry", "fusermount3", "gpasswd")),
    *(f"/usr/bin/{name}" for name in ("mount", "newgrp", "passwd", "pkexec", "ssh-agent", "su", "sudo", "umount")),
    *("/usr/bin/bsd-write", "/usr/bin/wall", "/usr/bin/write.ul", "/usr/bin/dotlockfile", "/usr/bin/write"),
    *("/usr/bin/newgidmap", "/usr/bin/newuidmap", "/usr/bin/at"),
    *("/usr/sbin/unix_chkpwd", "/usr/sbin/mount.nfs", "/usr/sbin/exim4", "/usr/sbin/postdrop"),
    "/usr/lib/dbus-1.0/dbus-daemon-launch-helper",
    "/usr/lib/openssh/ssh-keysign",
    "/usr/lib/polkit-1/polkit-agent-helper-1",
    "/usr/libexec/polkit-agent-helper-1",
}


@check("accounts.root-locked", "root has no password to guess", replaces="day 1, step 1.1: ssh root@")
def test_root_has_no_password(probe: Probe, observed: Observed) -> None:
    assert observed(probe.passwords.get("root", "")) in ("L", "LK", "NP"), "root has a usable password"
    assert probe.passwords["root"] != "NP", "root logs in without a password"


@check("accounts.no-empty-password", "no account logs in without a password")
def test_no_empty_passwords(probe: Probe, observed: Observed) -> None:
    assert observed([name for name, state in probe.passwords.items() if state == "NP"]) == []


@check("accounts.one-root", "only root has user id 0")
def test_only_root_is_root(probe: Probe, observed: Observed) -> None:
    assert observed([name for name, account in probe.accounts.items() if account.uid == 0]) == ["root"]


@check("accounts.people", "nobody may log in but the operator's user", severity="warning")
def test_nobody_else_logs_in(probe: Probe, observed: Observed) -> None:
    people = {
        name
        for name, account in probe.accounts.items()
        if account.uid >= SYSTEM_UID and not account.shell.endswith(("nologin", "false"))
    }
    assert observed(people) <= {DEPLOY_USER, *IMAGES_FIRST}


@check("accounts.umask", "what a person makes on the host is nobody else's to read", severity="warning")
def test_umask(probe: Probe, observed: Observed) -> None:
    assert observed(probe.raw.commands["umask"].out.strip()) in ("0027", "0077")


@check("accounts.no-cores", "no service leaves its memory behind when it crashes")
def test_no_cores(probe: Probe, observed: Observed) -> None:
    assert observed(probe.raw.commands["cores"].out.strip()) == "DefaultLimitCORE=0"


@check("accounts.set-user-id", "no program makes its user root but those that Debian means to")
def test_set_user_id(probe: Probe, observed: Observed) -> None:
    programs = {one.path for one in probe.found_files if one.changes_identity}
    observed(f"{len(programs)} programs")
    strangers = sorted(programs - DEBIANS_OWN)
    assert programs, "not even sudo was found: the search saw nothing"
    assert not strangers, f"{', '.join(strangers)}: `chmod ug-s` it, or remove it"


@check("accounts.world-writable", "there is no file that anybody may change")
def test_nothing_is_everybodys(probe: Probe, observed: Observed) -> None:
    files = observed([one.path for one in probe.found_files if one.open_to_all])
    assert not files, f"{', '.join(files[:5])}: `chmod o-w` it"


@check("accounts.unowned", "each file has an owner", severity="warning")
def test_each_file_is_somebodys(probe: Probe, observed: Observed) -> None:
    users = {account.uid for account in probe.accounts.values()}
    files = observed([one.path for one in probe.found_files if one.owner not in users and one.owner < OF_A_SERVICE])
    assert not files, f"{', '.join(files[:5])} belong to a user that there is not: who comes next with that number?"


@check("accounts.shadow", "the passwords' hashes are root's alone")
def test_shadow(probe: Probe, observed: Observed) -> None:
    states = {path: found(probe.file(path), f"{path} is missing") for path in HASHES}
    observed([f"{path} {state.owner}:{state.group} {state.mode:04o}" for path, state in states.items()])
    loose = [path for path, one in states.items() if (one.owner, one.group) not in OWNERS_OF_HASHES or one.mode & 0o037]
    assert not loose, f"{', '.join(loose)} can be read or changed by others than root"


@check("accounts.sudo", "sudo runs one program for the deploy user and nothing else")
def test_sudo(probe: Probe, observed: Observed) -> None:
    allowed = observed(readings.sudo_commands(probe.raw.commands["sudoers"].out))
    assert allowed == [f"(root) NOPASSWD: {ENTRY}"], "what else may be run is in /etc/sudoers.d"


@check("accounts.sudo-log", "each use of root's rights is in the journal")
def test_sudo_log(probe: Probe, observed: Observed) -> None:
    lines = [line for line in probe.raw.commands["sudo_log"].out.splitlines() if "COMMAND=" in line]
    observed(f"{len(lines)} in the last ten minutes")
    assert lines, "this look itself came through sudo, and is not there"


@check("accounts.journal", "the journal outlives a reboot, and has its bound")
def test_journal(case: Case, probe: Probe, observed: Observed) -> None:
    files = probe.raw.commands["journals"].out.split()
    size = readings.journal_mib(probe.raw.commands["journal_size"].out)
    observed(f"{size:.0f} MiB in {len(files)} folders" if size is not None else "no size told")
    assert files, "nothing below /var/log/journal: it is lost at each reboot"
    assert size is not None, "journalctl does not tell its size"
    assert size <= journal_mb(case.view) * SPARE, f"at most {journal_mb(case.view)} MiB expected"


@check("accounts.tmp", "no device and no program with a foreign identity works from where anybody writes")
def test_shared_folders(probe: Probe, observed: Observed) -> None:
    options = {place: probe.mounts.get(place, ()) for place in SHARED}
    observed([f"{place} {','.join(chosen)}" for place, chosen in options.items()])
    loose = [place for place, chosen in options.items() if not {"nosuid", "nodev"} <= set(chosen)]
    assert not loose, f"{', '.join(loose)} lack nosuid or nodev"
