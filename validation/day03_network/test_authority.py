"""The stack's own CA: good for longer than anybody wants to think of it."""

from himari.proof.certificates import read
from himari.proof.checks import Observed, check
from himari.proof.subject import Subject

YEAR = 365


@check("authority.lasts", "the stack's CA is good for another year")
def test_lasts(observed: Observed, subject: Subject) -> None:
    authority = observed(read(subject.visitor.ca_file.read_bytes()))
    assert authority.days_left > YEAR, "`himari destroy` and `himari up` make another one"
