"""One fault from its making to its end, with the marks of when what happened."""

import time
from collections.abc import Callable

from himari.drills.drill import Drill, Fault
from himari.drills.field import Field, await_
from himari.drills.judge import Attempt
from himari.proof.evidence import Marks
from himari.stack.errors import HimariError

LATE_SECONDS = 30.0  # beyond a deadline: a drill that is late shall tell by how much

Say = Callable[[str], None]


def attempt(field: Field, drill: Drill, fault: Fault, say: Say) -> Attempt:
    """Make `fault` and watch until new data is on the brain again; what goes wrong is told in what is returned.

    It ends the fault, but heals nothing: whoever made the fault does, also when this is interrupted."""
    say(f"{drill.name}: {drill.says}")
    course = _Course(field, drill, fault, say)
    try:
        course.run()
    except HimariError as error:
        course.trouble = str(error)
    return Attempt(
        drill=drill,
        marks=Marks(**course.marks),
        over_ns=course.over_ns,
        served_ns=course.served_ns,
        spared=course.spared,
        seen=course.seen,
        trouble=course.trouble,
    )


class _Course:
    def __init__(self, field: Field, drill: Drill, fault: Fault, say: Say) -> None:
        self._field, self._drill, self._fault, self._say = field, drill, fault, say
        self.marks: dict[str, int] = {}
        self.over_ns: int | None = None
        self.served_ns: int | None = None
        self.spared = False
        self.seen = self.trouble = ""

    def run(self) -> None:
        field, drill, fault = self._field, self._drill, self._fault
        self._mark("fail")
        fault.inject(field)
        in_force = time.monotonic()
        if not drill.lasts:
            self._end()  # what is not held ends as it is made
        await_(self._shows, max(drill.lasts, drill.seen_within))  # on a busy machine a fault may need longer to show
        if drill.lasts:
            time.sleep(max(0.0, in_force + drill.lasts - time.monotonic()))
            self._end()
        self._say(f"{drill.name}: {self.seen or 'nothing shows it'}; waits for new data on the brain")
        if self._await(lambda: fault.restored(field)):
            self.served_ns, self.spared = time.time_ns(), fault.spared(field)
            if self._await(self._has_younger):
                self._mark("restored")

    def _has_younger(self) -> bool:
        """Whether the brain has what the edge received after the fault."""
        drill = self._drill
        newest_ns = self._field.stored_ns() if drill.stored else self._field.arrived_ns()
        return newest_ns > (self.over_ns or self.marks["lift"]) + drill.ahead * 1e9

    def _end(self) -> None:
        self._mark("lift")
        if self._drill.lasts:
            self._fault.lift(self._field)
        if self._await(lambda: self._fault.over(self._field)):
            self.over_ns = time.time_ns()

    def _await(self, holds: Callable[[], bool]) -> bool:
        return await_(holds, self._drill.within + LATE_SECONDS)

    def _shows(self) -> bool:
        self.seen = self._fault.seen(self._field)
        if self.seen:
            self._mark("detect")
        return bool(self.seen)

    def _mark(self, name: str) -> None:
        self.marks[name] = time.time_ns()
