"""Finality: how long a payer can take collected money back without a reason."""

import pytest

from gateway.policy import finality


@pytest.mark.parametrize(
    ("method", "captured", "final"),
    [
        ("sepa_debit", "2026-11-20T10:00:00+00:00", "2027-01-15"),  # eight weeks
        ("sepa_debit_b2b", "2026-12-23T10:00:00+00:00", "2026-12-29"),  # three TARGET days
        ("card", "2026-11-20T10:00:00+00:00", "2027-03-20"),
        ("ideal", "2026-11-20T10:00:00+00:00", "2026-11-20"),
        ("barter", "2026-11-20T10:00:00+00:00", ""),
    ],
)
def test_last_day_of_doubt(method: str, captured: str, final: str) -> None:
    """By the rules of the method; where there are none that we know, nothing is claimed."""
    assert final == finality.final_on(method, captured)
