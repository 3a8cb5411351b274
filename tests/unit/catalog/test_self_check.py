"""The code that looks on a host is the code that looks from the operator's machine, and it looks at all of the host."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from himari.apply.render import render
from himari.apply.values import Values
from himari.catalog.component import View
from himari.catalog.hostpaths import CUTOVER
from himari.catalog.self_check import CODE, MODULES, SETTINGS, component
from himari.stack.load import load_stack
from himari.stack.paths import PROJECT, StateDir


def rendered(host: str, folder: Path) -> dict[str, bytes]:
    view = View(stack=load_stack("lab-edge"), host_name=host)
    values = Values.open(view.stack, {}, StateDir(folder))
    return {one.file.path: one.content for one in render(component(view), view, values)}


def test_the_modules_are_put_there_as_they_are(tmp_path: Path) -> None:
    files = rendered("brain", tmp_path)
    for path in MODULES:
        assert files[f"{CODE}/{path}"] == (PROJECT / path).read_bytes()


def test_the_modules_need_no_others_of_ours(tmp_path: Path) -> None:
    for path in MODULES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((PROJECT / path).read_bytes())
    paths = f"{tmp_path}:{Path(msgspec.__file__).parents[1]}"
    argv = (sys.executable, "-S", "-c", "import himari.runs.self_check")  # -S: this checkout is not found
    done = subprocess.run(argv, cwd=tmp_path, env={"PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_looks_at_all_units_of_the_host_but_its_own(tmp_path: Path) -> None:
    asked = json.loads(rendered("brain", tmp_path)[SETTINGS])
    assert {"himari-consumer.service", "himari-firewall.service"} <= set(asked["wanted"]["units"])
    assert not [unit for unit in asked["wanted"]["units"] if "self-check" in unit]
    assert asked["retention"]["parquet_flush_seconds"] == 3


def test_it_knows_of_a_rollback_as_the_operators_look_does(tmp_path: Path) -> None:
    asked = json.loads(rendered("brain", tmp_path)[SETTINGS])
    assert asked["wanted"]["cutover"] == CUTOVER
