"""What is set is proven, and what is proven may be what is set."""

import re

from himari.proof.sysctls import SYSCTLS
from himari.stack.paths import TEMPLATES


def test_each_setting_that_is_made_is_checked_for_its_value() -> None:
    text = "\n".join(path.read_text() for path in TEMPLATES.glob("kernel/etc/sysctl.d/*.j2"))
    made = dict(re.findall(r"^-?([a-z][\w.]+) = (\S+)$", text, re.MULTILINE))
    assert len(made) > 20
    assert {name: value for name, value in made.items() if value not in allowed().get(name, ())} == {}


def allowed() -> dict[str, tuple[str, ...]]:
    return {one.name: one.allowed for one in SYSCTLS}
