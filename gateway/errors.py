"""The errors of the hub, named after what the caller does next.

    HeadraceError
    ├── Rejected        the system said no; asking again changes nothing
    ├── Unavailable     nothing happened; ask again later with the same key
    ├── InDoubt         it may have happened; find out before asking again
    └── Misconfigured   we are wrong; a person has to change something

A declined card, a refused credit check and a blocked debtor are results, not errors.
"""


class HeadraceError(Exception):
    """An outcome that the caller has to act on.

    Attributes:
        message: A sentence without secrets and personal data.
        code: Our name for the cause, lower case with underscores: ``timeout``, ``field_invalid``.
        detail: What the other system called it, shortened; never shown to a front-end.
        system: The configured system that answered, if one did.
    """

    def __init__(self, message: str, *, code: str, detail: str = "", system: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.detail = detail
        self.system = system


class Rejected(HeadraceError):  # noqa: N818 - named after what the caller does next
    """The system said no; asking again changes nothing."""


class Unavailable(HeadraceError):  # noqa: N818 - named after what the caller does next
    """Nothing happened; ask again later with the same key.

    Attributes:
        retry_after_s: Seconds the system asked us to wait, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        detail: str = "",
        system: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, detail=detail, system=system)
        self.retry_after_s = retry_after_s


class InDoubt(HeadraceError):  # noqa: N818 - named after what the caller does next
    """It may have happened; find out before asking again."""


class Misconfigured(HeadraceError):  # noqa: N818 - named after what the caller does next
    """We are wrong; a person has to change something."""
