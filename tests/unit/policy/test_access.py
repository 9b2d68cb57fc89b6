"""Access: a bearer key is a caller, and without keys the tenant is named."""

import pytest

from gateway.errors import Rejected
from gateway.policy.access import Access, Caller

_WEB, _APP = Caller("web", "acme"), Caller("app", "beta")


@pytest.fixture
def access() -> Access:
    return Access({"key-of-web": _WEB, "schlüssel": _APP}, ("acme", "beta"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_key_is_its_client(access: Access, scheme: str) -> None:
    """Schemes have no case (RFC 9110 §11.1), keys have."""
    assert _WEB == access.caller(f"{scheme} key-of-web", "")
    assert _APP == access.caller(f"{scheme}  schlüssel ", "acme")


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer ", "key-of-web", "Basic key-of-web", "Bearer KEY-OF-WEB"),
        *("Bearer key-of-we", "Bearer key-of-webb", "Bearer key-of-web,key-of-app"),
    ],
)
def test_anything_else_is_nobody(access: Access, authorization: str) -> None:
    """Nearly right is wrong, and the tenant that is named does not help."""
    with pytest.raises(Rejected) as caught:
        access.caller(authorization, "acme")

    assert "unauthorized" == caught.value.code
    assert "key-of" not in caught.value.message


def test_only_tenant_needs_no_name() -> None:
    """Where there are no keys and one tenant, everybody is that one's."""
    alone = Access({}, ("acme",))

    assert Caller("anonymous", "acme") == alone.caller("", "")
    assert Caller("anonymous", "acme") == alone.caller("Bearer whatever", "acme")


@pytest.mark.parametrize("tenant", ["", "gamma", "ACME", "acme "])
def test_one_of_several_has_to_be_named(tenant: str) -> None:
    """Guessing would show one tenant's orders to another."""
    several = Access({}, ("acme", "beta"))

    assert Caller("anonymous", "beta") == several.caller("", "beta")
    with pytest.raises(Rejected):
        several.caller("", tenant)


def test_unknown_tenant_is_refused_even_where_there_is_one() -> None:
    """A front-end that means somebody else is told, not served."""
    with pytest.raises(Rejected):
        Access({}, ("acme",)).caller("", "beta")
