"""Every vector of every scheme: what the vendor's own client says is what our receiver says."""

import json
from pathlib import Path

import pytest

from tests.webhooks import vectors

_SCHEMES = (
    *("adyen_platform", "adyen_standard", "braintree", "fetch_back", "github_style", "gocardless"),
    *("mollie", "paypal", "standard_webhooks", "stripe", "truelayer", "worldline_payone"),
)


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_all_vectors(contracts: Path, scheme: str) -> None:
    """Not one differs."""
    file = contracts / "payments" / "webhooks" / f"{scheme}.json"
    if not file.is_file():
        pytest.skip(f"skipped: {file.name} not found under contracts")
    content = json.loads(file.read_text(encoding="utf-8"))

    verdicts = dict(vectors.run(content))

    assert len(content["cases"]) == len(verdicts)
    assert {} == {name: complaint for name, complaint in verdicts.items() if complaint}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stripe", [("stripe", "")]),
        ("adyen", [("adyen", "")]),
        ("Standard Webhooks", [("webhook", "standard_webhooks")]),
        ("standard-webhooks", [("webhook", "standard_webhooks")]),
        ("github-style", [("webhook", "github")]),
        ("worldline / PAYONE Commerce Platform", [("payone", ""), ("payone", "")]),
        (
            "klarna / mangopay / unzer / mollie classic",
            [("webhook", "klarna"), ("webhook", "mangopay"), ("webhook", "unzer"), ("mollie", "")],
        ),
        ("stripes", []),
        ("webhook", []),
    ],
)
def test_words_that_name_an_adapter(text: str, expected: list[tuple[str, str]]) -> None:
    """Whole words in any spelling, in the order in which they stand."""
    assert expected == vectors.named_in(text)
