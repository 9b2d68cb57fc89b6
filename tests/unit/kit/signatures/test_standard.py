"""Standard Webhooks: clocks both ways, several secrets, several signatures."""

import pytest

from adapters.webhook import Settings
from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import standard
from gateway.ports.notification import Notification
from tests.adapters.webhook.conformance import signed

NOW = 1_772_442_000.0
_OURS, _OTHER = "whsec_b3Vycw==", "whsec_b3RoZXI="


def judge(notification: Notification, *secrets: str, now: float = NOW) -> str:
    """The code with which the delivery is refused; empty when it is accepted."""
    try:
        standard.verify(notification, secrets or (_OURS,), now=now, tolerance_s=300)
    except Rejected as error:
        return error.code
    return ""


def changed(notification: Notification, name: str, value: str) -> Notification:
    headers = tuple((k, value if k == name else v) for k, v in notification.headers)
    return Notification(headers=headers, body=notification.body)


def test_secrets() -> None:
    """With and without their prefix, old and new."""
    assert "" == judge(signed(_OURS))
    assert "" == judge(signed(_OURS), "b3Vycw==")
    assert "" == judge(signed(_OURS), _OTHER, _OURS)
    assert "signature_invalid" == judge(signed(_OURS), _OTHER)


@pytest.mark.parametrize(
    ("ahead_s", "code"),
    [(0, ""), (300, ""), (301, "signature_stale"), (-300, ""), (-301, "signature_stale")],
)
def test_clocks(ahead_s: int, code: str) -> None:
    """Five minutes either way, to the second."""
    assert code == judge(signed(_OURS, at=NOW + ahead_s))


def test_signatures() -> None:
    """Any of several; only those of the first version count."""
    one = signed(_OURS)
    value = dict(one.headers)["webhook-signature"]

    assert "" == judge(changed(one, "webhook-signature", f"v1,AAAA {value}"))
    assert "" == judge(changed(one, "webhook-signature", f"v1a,AAAA {value}"))
    for wrong in (value.replace("v1,", "v1a,"), value.replace(",", ""), "v1", "v1,", value[3:]):
        assert "signature_invalid" == judge(changed(one, "webhook-signature", wrong))


@pytest.mark.parametrize("time", ["", "soon", "-1", "1e9", "1.5", "²", " 1", "1" * 13, "١"])
def test_times_that_are_none(time: str) -> None:
    """Refused before anything is computed."""
    assert "signature_missing" == judge(changed(signed(_OURS), "webhook-timestamp", time))


def test_a_secret_that_is_none() -> None:
    """Nothing is accepted while one of the secrets cannot be read."""
    with pytest.raises(Misconfigured):
        judge(signed(_OURS), "whsec_!", _OURS)
    assert "whsec" not in repr(Settings(scheme="standard_webhooks", webhook_secrets=(_OURS,)))
