"""When each of two lines that carry the same streams is left: half a life apart, whatever befell them before."""


class Stagger:
    """The last end of each, by number. Times are of the monotonic clock, in seconds."""

    def __init__(self, life_seconds: float) -> None:
        self._life_seconds = life_seconds
        self._due: dict[int, float] = {}

    def due(self, line: int, opened: float) -> float:
        """When a session of `line` that was opened then has to have a successor: at most a life later."""
        life = self._life_seconds
        twins = [due for number, due in self._due.items() if number != line]
        age = (twins[0] - opened - life / 2) % life if twins else life
        self._due[line] = opened + (age or life)
        return self._due[line]
