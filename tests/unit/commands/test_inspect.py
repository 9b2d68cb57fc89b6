"""Traces as trees: what hangs where, also while a flow still runs."""

from gateway.commands.inspect import Branch, arrange, outcome_of
from gateway.runtime.spans import KeptSpan


def span(
    span_id: str,
    parent_id: str = "",
    *,
    kind: str = "INTERNAL",
    status: str = "UNSET",
    attributes: dict[str, object] | None = None,
) -> KeptSpan:
    """A span that took a second."""
    return KeptSpan(
        span_id=span_id,
        parent_id=parent_id,
        name=span_id,
        kind=kind,
        process="worker@here",
        started=1.0,
        ended=2.0,
        status=status,
        attributes=attributes or {},
    )


def outline(branches: tuple[Branch, ...]) -> list[object]:
    """Ids with their children; a placeholder in brackets."""
    return [
        [one.span_id if one.span else f"({one.span_id})", *outline(one.children)]
        for one in branches
    ]


def test_children_hang_below_their_parents() -> None:
    """The order in which spans were kept does not matter."""
    spans = [span("call", "step"), span("step", "flow"), span("flow", "request"), span("request")]

    assert [["request", ["flow", ["step", ["call"]]]]] == outline(arrange(spans))


def test_a_running_flow_leaves_a_placeholder() -> None:
    """Spans whose parent is not kept yet share one placeholder and are not lost."""
    spans = [span("request", kind="SERVER"), span("a", "flow"), span("b", "flow")]

    assert [["request"], ["(flow)", ["a"], ["b"]]] == outline(arrange(spans))


def test_a_front_end_that_traces_is_no_placeholder() -> None:
    """The parent of a server span is somebody else's; the request is still the root."""
    spans = [span("request", "theirs", kind="SERVER"), span("flow", "request")]

    assert [["request", ["flow"]]] == outline(arrange(spans))


def test_nothing_kept_is_no_tree() -> None:
    """An order whose spans were not sampled has an empty trace."""
    assert () == arrange([])


def test_an_outcome_is_the_most_telling_word() -> None:
    """Our own word first, then the error, then the status; a bare failure says so."""
    both = {"headrace.outcome": "found", "http.response.status_code": 200}

    assert "found" == outcome_of(span("a", attributes={**both}))
    assert "404" == outcome_of(span("a", attributes={"http.response.status_code": 404}))
    assert "failed" == outcome_of(span("a", status="ERROR"))
    assert not outcome_of(span("a"))
