"""A real Neo4j with the files of a graph's host: only paths, ports, passwords and addresses are the test's."""

import shlex
import signal
import subprocess
import time
from pathlib import Path

from himari.apply.declared.services import Means
from himari.apply.render import render
from himari.apply.values import Values
from himari.catalog.hostpaths import CA_CERTIFICATE, GRAPH_CERTIFICATE, NEO4J, NEO4J_CONFIG, NEO4J_STATE, UNITS
from himari.catalog.neo4j import ANSWERS, FIRST_USER, KEY, SERVER_LOG, SETTINGS, UNIT, USER_LOG
from himari.catalog.registry import declaration
from himari.ssh.forward import Door
from himari.ssh.visitor import Visitor
from himari.stack.paths import StateDir
from tests.services.conftest import free_port
from tests.unit.catalog.conftest import shipped

HOST = "core"
TUNNEL = "127.0.0.2"  # another address of this machine stands for the tunnel's
READY_SECONDS = 240  # 5 on an idle machine


class NoTunnel(Visitor):
    """The operator, on the host itself."""

    port = 0

    def door(self, host: str, address: str, port: int, *, here: int = 0) -> Door:
        return Door(address, self.port)


class Neo4j:
    """The unit's command, without systemd: started, killed, stopped."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self.folder, self.port = folder, free_port()
        view, state = shipped("lab", HOST), StateDir(folder / "lab")
        self.values = Values.open(view.stack, view.known, state)
        self.visitor = NoTunnel(view.known, state)
        self.visitor.port = self.port
        files = {one.file.path: one.content.decode() for one in render(declaration("neo4j")(view), view, self.values)}
        issued = self.values.authority.issue("here", ["localhost", "127.0.0.1", TUNNEL])
        self._here = {
            f"/run/credentials/{UNIT}/{KEY}": self._put("key.pem", issued.key),
            GRAPH_CERTIFICATE: self._put("tls/graph.pem", issued.certificate),
            CA_CERTIFICATE: self.values.authority.certificate_file,
            NEO4J_CONFIG: folder / "config",
            NEO4J_STATE: folder / "state",
            NEO4J: jars,
            str(Path(GRAPH_CERTIFICATE).parent): folder / "tls",
            "10.77.0.3": TUNNEL,
            "7687": self.port,
        }
        for path in (SETTINGS, USER_LOG, SERVER_LOG, FIRST_USER):
            self._put(self._local(path).removeprefix(f"{folder}/"), self._local(files[path]))
        (folder / "state" / "tmp").mkdir()
        self.answers = self._put("answers", self._local(files[ANSWERS]))
        self.command = shlex.split(_command(self._local(files[f"{UNITS}/{UNIT}"])))
        self.log = folder / "log"

    @property
    def means(self) -> Means:
        """As `himari up` goes to it."""
        return Means(self.values, self.visitor)

    def start(self) -> None:
        """Returns when the unit's own `ready` says so."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while subprocess.run(["/usr/bin/python3", self.answers], capture_output=True, check=False).returncode:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """As a power cut of the process."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As systemd asks it to; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)

    def _local(self, text: str) -> str:
        for there, here in self._here.items():
            text = text.replace(there, str(here))
        return text

    def _put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def _command(unit: str) -> str:
    _, _, rest = unit.replace("\\\n", " ").partition("\nExecStart=")
    return rest.partition("\n")[0]
