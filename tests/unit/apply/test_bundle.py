import json
import subprocess
import sys
from pathlib import Path

from himari.apply import bundle
from himari.apply.agent.wire import Query


def answer(verb: str, request: dict[str, object], folder: Path) -> dict[str, object]:
    """What a Python that has nothing of ours says to the stream."""
    command = bundle.COMMAND.replace("python3", f"{sys.executable} -I -S", 1)
    stream = "".join(bundle.stream(verb, request))
    argv = ["sh", "-c", command]
    done = subprocess.run(argv, input=stream, text=True, capture_output=True, check=True, cwd=folder)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_agent_answers_from_stdin_alone(tmp_path: Path) -> None:
    path = tmp_path / "motd"
    path.write_text("hello\n")
    state = answer("state", {"paths": [str(path), "/nowhere"], "packages": ["dpkg", "no-such-package"]}, tmp_path)
    assert isinstance(state["entries"], dict)
    assert list(state["entries"]) == [str(path)]
    assert isinstance(state["packages"], dict)
    assert list(state["packages"]) == ["dpkg"]
    assert state["python"] == f"cp{sys.version_info.major}{sys.version_info.minor}"


def test_contents_come_back_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"\xff\x00")
    assert answer("content", {"paths": [str(path), "/nowhere"]}, tmp_path) == {str(path): "/wA="}


def test_a_confirmation_that_comes_too_late_is_a_failure(tmp_path: Path) -> None:
    report = answer("confirm", {"token": "0123456789abcdef"}, tmp_path)
    assert isinstance(report["failure"], dict)
    assert "not confirmed in time" in str(report["failure"]["what"])


def test_the_stream_brings_all_that_a_strip_needs(tmp_path: Path) -> None:
    report = answer("strip", {}, tmp_path)  # with nothing said, nothing is touched
    assert isinstance(report["failure"], dict)
    assert "missing" in str(report["failure"]["what"])
    assert "Strip" in str(report["failure"]["what"])


def test_nothing_of_the_stream_is_in_the_command_or_shown() -> None:
    stream = bundle.stream("state", {"credentials": {"redis-pusher": "s3cret"}})
    assert "s3cret" in "".join(stream)
    assert "s3cret" not in f"{stream} {stream!r} {bundle.COMMAND}"
    assert "s3cret" not in repr(Query(credentials={"redis-pusher": "s3cret"}))


def test_the_agent_needs_only_the_standard_library() -> None:
    folder = Path(bundle.__file__).parent / "agent"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    imported = [line for name in modules for line in (folder / f"{name}.py").read_text().splitlines()]
    ours = {line.split()[1] for line in imported if line.startswith(("from ", "import "))}
    known = {*sys.stdlib_module_names, "himari"}
    assert {name.split(".")[0] for name in ours} <= known
    assert all(name.startswith("himari.apply.agent") for name in ours if name.startswith("himari"))
