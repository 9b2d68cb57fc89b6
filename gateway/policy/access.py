"""Who may call the facade, and for which tenant."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from gateway.errors import Rejected

_RECOGNISED_LIMIT: Final = 1024


class Caller(msgspec.Struct, frozen=True):
    """A front-end that was recognised."""

    client: str
    tenant: str


class Access:
    """Recognises callers by their bearer key.

    Args:
        keys: Key to caller. Empty lets everybody in, for the only tenant or the one they name.
        tenants: Names of the tenants.
    """

    def __init__(self, keys: Mapping[str, Caller], tenants: Sequence[str]) -> None:
        self._callers = {_digest(key): caller for key, caller in keys.items() if key}
        self._recognised: dict[str, Caller] = {}
        self._open = not keys
        self._tenants = tuple(tenants)

    def caller(self, authorization: str, tenant: str) -> Caller:
        """Who sent these headers.

        Args:
            authorization: Value of Authorization, empty where it is missing.
            tenant: Value of Headrace-Tenant; read only where no keys are configured.

        Raises:
            Rejected: Nobody we know.
        """
        if self._open:
            return Caller("anonymous", self._named(tenant))
        recognised = self._recognised.get(authorization)
        if recognised is not None:
            return recognised
        scheme, _, key = authorization.partition(" ")
        given = _digest(key.strip())
        if scheme.lower() == "bearer":
            for known, caller in self._callers.items():
                if hmac.compare_digest(known, given):
                    if len(self._recognised) < _RECOGNISED_LIMIT:  # blanks can be spelt at will
                        self._recognised[authorization] = caller
                    return caller
        raise Rejected("Send Authorization: Bearer with your key.", code="unauthorized")

    def _named(self, tenant: str) -> str:
        if tenant in self._tenants:
            return tenant
        if not tenant and len(self._tenants) == 1:
            return self._tenants[0]
        raise Rejected("Name the tenant in the header Headrace-Tenant.", code="unauthorized")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
