"""The life of a mandate: what it allows, what ends it, what its next collection has to tell."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Rejected
from gateway.kit.sepa import mandates, reasons
from gateway.model.mandate import (
    MANDATE_STATES,
    Amendment,
    Mandate,
    MandateState,
    SequenceType,
)

SIGNED = dt.date(2024, 2, 29)
DUE = dt.date(2026, 12, 1)


def mandate(**fields: Any) -> Mandate:
    known: dict[str, Any] = {
        "mandate_id": "M-1",
        "creditor_id": "DE98ZZZ09999999999",
        "debtor_name": "Erika Mustermann",
        "iban": "DE89370400440532013000",
        "signed_at": SIGNED,
        "signature_type": "paper",
        "state": MandateState.ACTIVE,
    }
    return Mandate(**{**known, **fields})


def test_personal_fields_are_not_printed() -> None:
    """Neither name nor account stand in what a log or a failed test shows."""
    shown = repr(mandate(bic="COBADEFF"))

    assert "M-1" in shown
    assert not [each for each in ("Erika", "DE8937", "COBADEFF") if each in shown]


def test_lapses_after_36_months() -> None:
    """From the last collection, else the signature; 29 February becomes the 28th."""
    assert dt.date(2027, 2, 28) == mandates.lapses_after(mandate())
    used = mandate(last_used_at=dt.date(2025, 12, 31))

    assert dt.date(2028, 12, 31) == mandates.lapses_after(used)
    assert "" == mandates.fault(used, dt.date(2028, 12, 31))
    assert "mandate_lapsed" == mandates.fault(used, dt.date(2029, 1, 1))
    assert MandateState.ACTIVE is mandates.lapsed(used, dt.date(2028, 12, 31)).state
    assert MandateState.EXPIRED is mandates.lapsed(used, dt.date(2029, 1, 1)).state


@pytest.mark.parametrize("state", [s for s in MandateState if s is not MandateState.ACTIVE])
def test_only_active_mandates_collect(state: MandateState) -> None:
    """The state is the rule that is broken."""
    assert f"mandate_{state.lower()}" == mandates.fault(mandate(state=state), DUE)


def test_before_the_signature() -> None:
    """Nothing is due before the debtor signed."""
    assert "mandate_signed_later" == mandates.fault(mandate(), dt.date(2024, 2, 28))


def test_sequence_types() -> None:
    """RCUR by default, also the first time; FRST where the bank wants it; FNAL and OOFF at ends."""
    fresh, running = mandate(), mandate(last_used_at=DUE)
    single = mandate(sequence_type=SequenceType.OOFF)

    assert SequenceType.RCUR is mandates.sequence(fresh)
    assert SequenceType.FRST is mandates.sequence(fresh, names_first=True)
    assert SequenceType.RCUR is mandates.sequence(running, names_first=True)
    assert SequenceType.FNAL is mandates.sequence(running, is_last=True)
    assert SequenceType.OOFF is mandates.sequence(single, is_last=True)


def test_one_collection_uses_a_single_mandate_up() -> None:
    """OOFF and FNAL end it; and until it has ended, a second collection is refused."""
    single = mandate(sequence_type=SequenceType.OOFF)

    assert MandateState.EXPIRED is mandates.used(single, DUE, SequenceType.OOFF).state
    assert MandateState.EXPIRED is mandates.used(mandate(), DUE, SequenceType.FNAL).state
    assert MandateState.ACTIVE is mandates.used(mandate(), DUE, SequenceType.RCUR).state
    again = mandate(sequence_type=SequenceType.OOFF, last_used_at=DUE)
    assert "mandate_used_up" == mandates.fault(again, DUE)


def test_a_late_word_does_not_turn_back_time() -> None:
    """The last use only moves forward, and a revoked mandate stays revoked."""
    later = mandates.used(mandate(last_used_at=DUE), SIGNED, SequenceType.RCUR)
    revoked = mandates.used(mandate(state=MandateState.REVOKED), DUE, SequenceType.FNAL)

    assert DUE == later.last_used_at
    assert MandateState.REVOKED is revoked.state


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("MD01", MandateState.REVOKED),
        ("AC04", MandateState.SUSPENDED),
        ("AM04", MandateState.ACTIVE),
    ],
)
def test_returned(code: str, state: MandateState) -> None:
    """The reason decides what becomes of the mandate, once."""
    after = mandates.returned(mandate(), reasons.of(code))

    assert state is after.state
    assert after == mandates.returned(after, reasons.of(code))


def test_amendments_are_told_once_with_their_first_value() -> None:
    """The bank knows only what it was told; after the next collection nothing is left to tell."""
    one = mandates.amended(mandate(), mandate_id="M-2", iban="DE75512108001245126199")
    two = mandates.amended(one, mandate_id="M-3", creditor_name_before="Old GmbH")
    told = Amendment(mandate_id="M-1", creditor_name="Old GmbH", has_new_account=True)

    assert told == two.amended_from
    assert ("M-3", "DE75512108001245126199") == (two.mandate_id, two.iban)
    assert mandates.used(two, DUE, SequenceType.RCUR).amended_from is None
    assert mandates.amended(mandates.amended(mandate(), mandate_id="M-2"), mandate_id="M-1") == (
        mandate()
    )


def test_amendment_that_no_bank_has_seen_is_told_again() -> None:
    """With what was changed since; of any other collection nothing is taken back."""
    moved = mandates.amended(mandate(), iban="DE75512108001245126199")
    sent = mandates.used(moved, DUE, SequenceType.RCUR, "E-1")
    later = mandates.amended(sent, creditor_name_before="Old GmbH")
    again = mandates.untold(later, "E-1")

    assert later == mandates.untold(later, "E-2")
    assert Amendment(has_new_account=True, creditor_name="Old GmbH") == again.amended_from
    assert again == mandates.untold(again, "E-1")
    plain = mandates.used(sent, DUE, SequenceType.RCUR, "E-2")
    assert Amendment(has_new_account=True) == mandates.untold(plain, "E-1").amended_from


def test_what_is_no_amendment() -> None:
    """Another business code and another spelling of the account are the same as before."""
    same = mandates.amended(
        mandate(), creditor_id="DE98XYZ09999999999", iban="de89 3704 0044 0532 0130 00"
    )

    assert same.amended_from is None
    other = mandates.amended(mandate(), creditor_id="DE13ZZZ00000012345")
    assert Amendment(creditor_id="DE98ZZZ09999999999") == other.amended_from


def test_notice() -> None:
    """Fourteen days, or what was agreed."""
    assert dt.date(2026, 11, 17) == mandates.notify_by(mandate(), DUE)
    assert dt.date(2026, 11, 29) == mandates.notify_by(mandate(notice_days=2), DUE)


@given(st.lists(st.sampled_from(MandateState), max_size=8))
def test_states_follow_the_table(wanted: list[MandateState]) -> None:
    """Whatever is asked, a mandate only goes where the table leads, and an end is an end."""
    current = mandate(state=MandateState.DRAFT)
    for state in wanted:
        if MANDATE_STATES.allows(current.state, state):
            current = mandates.change(current, state)
            assert state is current.state
        else:
            with pytest.raises(Rejected) as refusal:
                mandates.change(current, state)
            assert "mandate_state" == refusal.value.code
