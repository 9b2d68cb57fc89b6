"""Reason codes: what the research says each means, and that the bank's list knows them."""

import json
from pathlib import Path

import pytest

from gateway.kit.sepa import reasons
from gateway.kit.sepa.reasons import MandateEffect, Next, ReasonClass


@pytest.mark.parametrize(
    ("code", "then", "mandate", "retries"),
    [
        ("AM04", Next.RETRY, MandateEffect.KEEP, 2),
        ("MS03", Next.RETRY, MandateEffect.KEEP, 1),
        ("MS02", Next.CONTACT_DEBTOR, MandateEffect.KEEP, 0),
        ("MD06", Next.REOPEN_CLAIM, MandateEffect.KEEP, 0),
        ("MD01", Next.STOP, MandateEffect.REVOKE, 0),
        ("MD07", Next.MANUAL, MandateEffect.SUSPEND, 0),
        ("AC04", Next.NEW_ACCOUNT, MandateEffect.SUSPEND, 0),
        ("AG02", Next.CORRECT, MandateEffect.KEEP, 0),
        ("AM05", Next.MANUAL, MandateEffect.KEEP, 0),
        ("SL01", Next.STOP, MandateEffect.SUSPEND, 0),
    ],
)
def test_what_to_do(code: str, then: Next, mandate: MandateEffect, retries: int) -> None:
    """The rows of the table in the design note on payments, section 4.2."""
    found = reasons.of(code)

    assert (code, then, mandate, retries) == (
        found.code,
        found.then,
        found.mandate,
        found.retries,
    )


@pytest.mark.parametrize("code", ["ZZ99", "", "am04"])
def test_unknown_codes_go_to_a_person(code: str) -> None:
    """Nothing is repeated and no mandate is touched on a word that nobody explained."""
    found = reasons.of(code)

    assert (code, ReasonClass.UNKNOWN_CODE, Next.MANUAL) == (found.code, found.kind, found.then)
    assert (MandateEffect.KEEP, 0) == (found.mandate, found.retries)


def test_only_soft_declines_are_repeated() -> None:
    """A code that may be repeated is a soft decline, and the other way round."""
    for reason in reasons.REASONS.values():
        soft = reason.kind is ReasonClass.DECLINED_SOFT
        assert soft is (reason.then is Next.RETRY) is (reason.retries > 0), reason.code


def test_codes_exist(contracts: Path) -> None:
    """Each code stands in one of ISO's lists."""
    folder = contracts / "payments" / "sepa" / "codes"
    files = sorted(folder.glob("*.json"))
    if not files:
        pytest.skip("contracts not found")
    definitions = json.loads(files[0].read_text(encoding="utf-8"))["definitions"]
    known = {
        code
        for name in ("ExternalReturnReason1Code", "ExternalStatusReason1Code")
        for code in definitions[name]["enum"]
    }

    assert set() == set(reasons.REASONS) - known
