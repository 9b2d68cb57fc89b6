"""Documents that cannot lie unnoticed: links, decisions, the request in the README."""

import json
import re
from pathlib import Path

import pytest

from gateway.api.operations import Links, Operation
from gateway.model import codec
from gateway.model.money import Money
from gateway.model.order import NewOrder
from tests.architecture.source import ROOT

HEADINGS = ("Context", "Decision", "Consequences", "Alternatives", "References")
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))

_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")
_RECIPE = re.compile(r"\bmake ([a-z][a-z-]+)")


def documents() -> list[Path]:
    """Every Markdown file that people are sent to."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def dead_links(document: Path) -> list[str]:
    """Relative links to files that do not exist."""
    text = document.read_text(encoding="utf-8")
    return [link for link in _LINK.findall(text) if not (document.parent / link).exists()]


def recipes(makefile: str) -> set[str]:
    """The recipes that the Makefile explains."""
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    """No link to a file is dead."""
    assert [] == dead_links(document)


def test_recipes_in_documents_exist() -> None:
    """Whoever types a recipe from a document meets a recipe."""
    known = recipes((ROOT / "Makefile").read_text(encoding="utf-8"))
    code = [
        block
        for document in documents()
        for block in re.findall(r"`+[^`]+`+", document.read_text(encoding="utf-8"))
    ]
    named = {name for block in code for name in _RECIPE.findall(block)}

    assert set() == named - known
    assert {"demo", "test", "check"} <= named


def test_the_request_of_the_readme_is_an_order() -> None:
    """What a newcomer pastes first is accepted by the model, and its sum is right."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    body = re.search(r"curl .*? -d '(\{.*?\n  \})'", readme, re.DOTALL)

    assert body is not None
    order = codec.decode(body[1], NewOrder)
    lines = [item.unit_price * item.quantity for item in order.items]
    assert order.total == sum(lines[1:], start=lines[0])
    assert Money(1990, "EUR") == order.total


def test_the_answer_of_the_readme_is_an_operation() -> None:
    """The example answer has the fields of an operation, and its Location and links agree."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    answer = re.search(r"Location: (\S+)\n\n(\{.*?\})\n```", readme, re.DOTALL)

    assert answer is not None
    operation = codec.decode(answer[2], Operation)
    assert json.loads(answer[2]) == json.loads(codec.encode(operation))
    assert Links.of(operation.operation_id, operation.order_id) == operation.links
    assert answer[1] == operation.links.self


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decisions_have_their_form(path: Path) -> None:
    """Title with number, five parts in order, and no longer than a page."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert lines[0].startswith(f"# {path.stem[:4]}. ")
    assert list(HEADINGS) == [line[3:] for line in lines if line.startswith("## ")]
    assert 60 >= len(lines)


def test_decisions_are_numbered_and_listed() -> None:
    """No number is missing or used twice, and the list names each with its title."""
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    titles = [path.read_text(encoding="utf-8").splitlines()[0][8:] for path in DECISIONS]

    assert [f"{number:04d}" for number in range(1, len(DECISIONS) + 1)] == [
        path.name[:4] for path in DECISIONS
    ]
    assert [] == [
        path.name
        for path, title in zip(DECISIONS, titles, strict=True)
        if f"| [{path.name[:4]}]({path.name}) | {title} |" not in listed
    ]


def test_dead_links_are_reported(tmp_path: Path) -> None:
    """Anchors and addresses are let be, a missing file is named."""
    (tmp_path / "there.md").write_text("")
    document = tmp_path / "a.md"
    document.write_text("[a](there.md) [b](there.md#x) [c](#y) [d](https://e.org/f) [g](gone.md#z)")

    assert ["gone.md"] == dead_links(document)


def test_recipes_are_read_from_their_explanation() -> None:
    """Files and recipes without an explanation are no recipes for people."""
    makefile = "setup: $(X) ## explained\n.venv/x: y\n\ttouch x\nhidden: setup\n"

    assert {"setup"} == recipes(makefile)
