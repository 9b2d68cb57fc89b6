"""Addresses in deliveries; the suite of ``webhook_keys`` has the long list of tricks."""

import pytest

from gateway.errors import Rejected
from gateway.kit.signatures.origins import require_origin

_OURS = ("https://api.vendor.com", "http://127.0.0.1:8080")


@pytest.mark.parametrize(
    "address",
    [
        "https://api.vendor.com/a",
        "https://api.vendor.com/v1/payments/s-pay-1/charges/s-chg-1",
        "https://api.vendor.com/.well-known/jwks.json",
        "https://api.vendor.com/..a/b..",
        "http://127.0.0.1:8080/cert",
    ],
)
def test_plain_paths_below_an_origin(address: str) -> None:
    """Pass; an origin with a port stands in the list with it."""
    require_origin(address, _OURS)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://api.vendor.com",
        "https://api.vendor.com/",
        "https://api.vendor.com/a/",
        "https://api.vendor.com/a/../b",
        "https://api.vendor.com/./b",
        "https://api.vendor.com/a?b",
        "https://api.vendor.com/a#b",
        "https://api.vendor.com/a\n",
        "https://api.vendor.com/a\\b",
        "https://api.vendor.com/%2e",
        "https://api.vendor.com/é",
        "https://api.vendor.community/a",
        "https://api.vendor.com:80/a",
        "https://api.vendor.com@evil/a",
        "http://api.vendor.com/a",
        "http://127.0.0.1:80801/cert",
        "http://127.0.0.1/cert",
        "https://api.vendor.com/" + "a" * 512,
    ],
)
def test_everything_else(address: str) -> None:
    """Does not."""
    with pytest.raises(Rejected) as refused:
        require_origin(address, _OURS)

    assert "url_refused" == refused.value.code
