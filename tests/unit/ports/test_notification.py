"""A notification: what stands in it, and what stands in it twice."""

import pytest

from gateway.errors import Rejected
from gateway.ports.notification import Notification


def test_headers() -> None:
    """One value, none, or a refusal."""
    one = Notification(headers=(("a", "1"), ("b", "2"), ("b", "2")))

    assert ("1", "") == (one.header("a"), one.header("c"))
    with pytest.raises(Rejected):
        one.header("b")


def test_fields() -> None:
    """Of the query and of a form, decoded; of a doubled one the first."""
    one = Notification(target="/x?a=1&a=2&b=%20+c&d", body=b"e=%0A&f=\xff")

    assert {"a": "1", "b": "  c", "d": ""} == one.query()
    assert {"e": "\n", "f": "\ufffd"} == one.form()


def test_a_form_with_very_many_fields_is_refused() -> None:
    """Nobody has a hundred."""
    with pytest.raises(Rejected):
        Notification(body=b"a=1&" * 101).form()
