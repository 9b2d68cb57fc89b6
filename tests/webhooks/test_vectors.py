"""Every vector of every scheme: what the vendor's own client says is what our receiver says."""

import importlib
import json
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
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


def test_the_reference_page_knows_the_answers() -> None:
    """Every adapter has its rows, with the statuses that it asks for."""
    page = (ROOT / "docs" / "reference" / "webhooks.md").read_text(encoding="utf-8")
    for word, (product, scheme) in vectors._known().items():
        adapter = importlib.import_module(f"adapters.{product}").ADAPTER
        settings = vectors.settings_for(adapter.settings, scheme, {}, {})
        terms = adapter.port("webhooks", settings).terms
        answers = f"| {terms.kept.status}, {terms.refused.status if terms.refused else 401} |"
        rows = [line for line in page.splitlines() if line.startswith(f"| `{product}`")]
        rows = [row for row in rows if not scheme or f"`{scheme}`" in row]
        assert rows, word
        assert [] == [row for row in rows if answers not in row]
