"""What can be wrong with what the simulator was given."""


class ExchangeError(Exception):
    """Something the operator can mend.

    `what` failed, `where` (file and key, or address), what was `expected`, and what to do next (`hint`)."""

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", expected: str = "", hint: str = "") -> None:
        self.what, self.where, self.expected, self.hint = what, where, expected, hint
        super().__init__(what)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        lines += [f"  expected: {self.expected}"] if self.expected else []
        lines += [f"  hint: {self.hint}"] if self.hint else []
        return "\n".join(lines)


class SettingsError(ExchangeError):
    """A settings file that is missing, unreadable or says something unknown or impossible."""


class RecordingError(ExchangeError):
    """A recording that cannot be replayed."""


class ControlError(ExchangeError):
    """The running simulator cannot be reached, or refuses an order."""

    exit_code = 4


class RequestError(Exception):
    """A client's request that is answered with one of the venue's errors."""

    def __init__(self, code: int, says: str) -> None:
        super().__init__(says)
        self.code = code
