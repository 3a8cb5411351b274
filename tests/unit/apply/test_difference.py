from dataclasses import replace

import pytest

from himari.apply.agent.wire import Account, Entry, Service, State
from himari.apply.desired import Desired, Secret, merge
from himari.apply.difference import Comparison, Difference
from himari.apply.render import Rendered
from himari.catalog.component import Artifact, Directory, File, Guard, Tree, Unit, User

KEY = "ssh-ed25519 AAAA operator@desk"
CONFIG = "/etc/redis/himari.conf"
DROP_IN = "/etc/systemd/system/redis-server.service.d/himari.conf"
LINK = "/opt/himari/runtime"
TREE = Tree(name="kafka", lock="kafka.maven", link="/opt/himari/kafka")
UNIT = Unit(name="redis-server.service", watches=(CONFIG, "himari-runtime", "kafka", "redis-pusher"))
DESIRED = Desired(
    packages=("redis-server",),
    users=(User(name="himari", home="/home/himari", login=True, sudo=True, groups=("adm",)),),
    directories=(Directory(path="/etc/himari"),),
    files=(
        Rendered(File(path=CONFIG, apply=("true",)), b"port 6379\n"),
        Rendered(File(path=DROP_IN), b"[Service]\n"),
    ),
    artifacts=(Artifact(name="himari-runtime", lock="runtime.txt", venv=LINK),),
    trees=(TREE,),
    secrets=(Secret("redis-pusher", "s3cret"),),
    units=(UNIT,),
    masked=("swap.target",),
)
DIGESTS = {LINK: "d1", TREE.link: "t1"}
STATE = State(
    debian="12.11",
    python="cp311",
    boot_id="b",
    container=False,
    wireguard_public_key="",
    packages={"redis-server": "7.0"},
    users={"himari": Account("/home/himari", "/bin/bash", ["adm"], ["ssh-ed25519 AAAA"], True)},
    entries={
        "/etc/himari": Entry(0o755, "root", "root"),
        **{each.file.path: Entry(0o644, "root", "root", each.digest) for each in DESIRED.files},
    },
    environments={LINK: "d1"},
    uploaded=["t1"],
    trees={TREE.link: "t1"},
    credentials=["redis-pusher"],
    units={
        UNIT.name: Service(True, True, False, DESIRED.digest(UNIT, DIGESTS)),
        "swap.target": Service(False, False, True, ""),
    },
)


def differ(state: State, wanted: Desired = DESIRED) -> Difference:
    return Comparison(wanted, state, DIGESTS, KEY).difference(wanted)


def test_a_host_that_is_as_it_shall_be_lacks_nothing() -> None:
    difference = differ(STATE)
    assert difference.activation.empty
    assert difference.says == ()


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (replace(STATE, packages={}), "package redis-server: install"),
        (replace(STATE, users={}), "user himari: create"),
    ],
)
def test_each_thing_that_is_missing_is_named(state: State, says: str) -> None:
    assert differ(state).says == (says,)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (Entry(0o600, "root", "root", DESIRED.files[0].digest), "0600 root:root, expected 0644 root:root"),
        (Entry(0o644, "redis", "root", DESIRED.files[0].digest), "0644 redis:root, expected 0644 root:root"),
        (Entry(0o644, "root", "root", DESIRED.files[0].digest, pending=True), "true did not succeed"),
    ],
)
def test_a_file_differs_by_content_mode_owner_or_an_apply_that_is_owed(entry: Entry, says: str) -> None:
    difference = differ(replace(STATE, entries={**STATE.entries, CONFIG: entry}))
    assert difference.says == (f"file {CONFIG}: {says}",)
    assert (difference.activation.files[0].content is None) == entry.pending


@pytest.mark.parametrize(
    ("service", "says"),
    [
        (Service(False, True, False, DESIRED.digest(UNIT, DIGESTS)), "enable"),
        (Service(True, False, False, DESIRED.digest(UNIT, DIGESTS)), "start"),
        (Service(True, True, False, ""), "restart"),
        (Service(True, True, False, "older"), "restart"),
    ],
)
def test_a_unit_is_started_unless_it_runs_what_it_shall(service: Service, says: str) -> None:
    assert differ(replace(STATE, units={**STATE.units, UNIT.name: service})).says == (f"unit {UNIT.name}: {says}",)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (replace(STATE, credentials=[]), "credential redis-pusher: encrypt"),
        (replace(STATE, environments={LINK: "d0"}), "environment /opt/himari/runtime: install d1"),
        (replace(STATE, trees={TREE.link: "t0"}), "tree /opt/himari/kafka: put t1"),
        (replace(STATE, trees={}), "tree /opt/himari/kafka: put t1"),
        (
            replace(STATE, entries={**STATE.entries, CONFIG: Entry(0o644, "root", "root", "other")}),
            f"file {CONFIG}: content differs",
        ),
        (
            replace(STATE, entries={path: held for path, held in STATE.entries.items() if path != DROP_IN}),
            f"file {DROP_IN}: create",
        ),
    ],
)
def test_a_unit_that_may_run_what_was_altered_by_hand_is_restarted(state: State, says: str) -> None:
    assert differ(state).says == (says, f"unit {UNIT.name}: restart")


def test_what_a_container_cannot_run_is_left_alone_there() -> None:
    unit = Unit(name="chrony.service", unless_container=True)
    wanted = Desired(units=(unit,))
    off = {unit.name: Service(False, False, False, "")}
    assert differ(replace(STATE, units=off, container=True), wanted).activation.empty
    assert differ(replace(STATE, units=off), wanted).says == ("unit chrony.service: start",)


def test_a_unit_that_a_timer_starts_is_only_enabled() -> None:
    unit = Unit(name="deadman.service", active=False, enabled=False)
    off = {unit.name: Service(False, False, False, "")}
    assert differ(replace(STATE, units=off), Desired(units=(unit,))).activation.empty


@pytest.mark.parametrize("changed", [CONFIG, DROP_IN, "himari-runtime", "kafka", "redis-pusher"])
def test_the_digest_of_what_runs_covers_all_that_the_unit_watches(changed: str) -> None:
    files = tuple(Rendered(each.file, each.content + b"#" * (each.file.path == changed)) for each in DESIRED.files)
    secrets = (Secret("redis-pusher", "other" if changed == "redis-pusher" else "s3cret"),)
    digests = {LINK: "d2" if changed == "himari-runtime" else "d1", TREE.link: "t2" if changed == "kafka" else "t1"}
    other = Desired(files=files, artifacts=DESIRED.artifacts, trees=DESIRED.trees, secrets=secrets, units=DESIRED.units)
    assert other.digest(UNIT, digests) != DESIRED.digest(UNIT, DIGESTS)


def test_a_watch_that_nothing_puts_there_is_refused() -> None:
    with pytest.raises(ValueError, match="watches /etc/nowhere"):
        DESIRED.digest(Unit(name="x.service", watches=("/etc/nowhere",)), DIGESTS)


def test_a_unit_of_a_guarded_file_is_guarded_with_it() -> None:
    guarded = Rendered(File(path="/etc/himari/firewall.nft", guard=Guard.NFTABLES), b"table inet himari {}\n")
    unit = Unit(name="himari-firewall.service", watches=("/etc/himari/firewall.nft",))
    wanted = merge((DESIRED, Desired(files=(guarded,), units=(unit,))))
    off = {unit.name: Service(False, False, False, "")}
    difference = differ(replace(STATE, units={**STATE.units, **off}), wanted)
    assert [each.guarded for each in difference.activation.files] == [True]
    assert [(each.name, each.guarded) for each in difference.activation.units] == [(unit.name, True)]


def test_what_the_host_holds_whole_is_not_sent_again() -> None:
    comparison = Comparison(DESIRED, replace(STATE, uploaded=[]), DIGESTS, KEY)
    assert comparison.uploads(DESIRED) == (*DESIRED.artifacts, TREE)
    comparison = Comparison(DESIRED, replace(STATE, uploaded=["d1", "t1"]), DIGESTS, KEY)
    assert comparison.uploads(DESIRED) == ()


def test_merging_keeps_each_thing_once_and_in_order() -> None:
    assert merge((DESIRED, DESIRED)) == DESIRED


def test_no_secret_is_shown() -> None:
    assert "s3cret" not in repr(DESIRED)
    assert "s3cret" not in repr(differ(replace(STATE, credentials=[])).activation)
