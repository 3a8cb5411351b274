"""A path on the hosts stands once in the toolkit; programs that a host runs without it say the same."""

from himari.apply.agent.places import Places
from himari.catalog.hostpaths import CONFIG, CREDENTIALS, UNITS, VENVS
from himari.stack.paths import PROJECT

ALONE = {"himari/catalog/hostpaths.py", "himari/apply/agent/places.py", "himari/proof/agent.py"}  # and what runs there


def test_the_agents_places_are_the_catalogues() -> None:
    places = Places()
    assert [str(path) for path in (places.etc, places.credstore, places.system)] == [CONFIG, CREDENTIALS, UNITS]
    assert {str(path.parent) for path in (places.environments, places.trees)} == {VENVS}


def test_credentials_lie_in_one_place() -> None:
    sources = [path for folder in ("himari", "templates") for path in (PROJECT / folder).rglob("*") if path.is_file()]
    texts = {str(path.relative_to(PROJECT)): path.read_text() for path in sources if path.suffix in (".py", ".j2")}
    assert {path for path, text in texts.items() if "credstore.encrypted" in text} == ALONE
    assert f'"{CREDENTIALS}/' in texts["himari/proof/agent.py"].replace('f"', '"')
