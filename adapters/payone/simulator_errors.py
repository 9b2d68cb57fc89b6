"""Errors of the simulated PAYONE. Source: API definition 1.61.0, ErrorResponse."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - what PAYONE says no with
    """An error of PAYONE."""

    def __init__(self, status: int, code: str, field: str = "") -> None:
        super().__init__(code)
        self.status = status
        self._code = code
        self._field = field

    def shown(self) -> Json:
        """As it stands in the list of errors."""
        return problem(self.status, self._code, self._field)


def problem(status: int, code: str, field: str = "") -> Json:
    """One error."""
    found: Json = {
        "errorCode": code,
        "category": "PAYMENT_PLATFORM_ERROR",
        "httpStatusCode": status,
        "id": "simulated-error",
        "message": "Refused by the simulator",
    }
    return {**found, "propertyName": field} if field else found
