"""Every delivered mapping: checked without a finding, its cases passed, all of it reached."""

import pytest

from gateway.commands.mapping_files import Source, Where, collect
from gateway.commands.mappings import run_cases

WHERE = Where()
SOURCES = collect(WHERE)


@pytest.fixture(params=SOURCES, ids=lambda source: source.name)
def source(request: pytest.FixtureRequest) -> Source:
    """One mapping of ``mappings/``."""
    found: Source = request.param
    return found


def test_there_are_mappings() -> None:
    """Without files the tests below would say nothing."""
    products = {source.path.parent.name for source in SOURCES}

    assert {"adyen", "salesforce", "sap_s4", "stripe"} <= products


def test_no_finding(source: Source) -> None:
    """Neither error nor warning; what was decided stands under ``allow:`` and ``unused:``."""
    findings = source.check(WHERE, None).findings

    assert [] == [str(finding) for finding in findings]


def test_cases_pass_and_reach_everything(source: Source) -> None:
    """Each field, both ways of each branch and each code, or waived with a reason."""
    result = run_cases(source, WHERE)

    assert () == result.failed
    assert () == result.unreached
    assert () == result.stale
    assert result.is_right
