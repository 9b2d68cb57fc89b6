"""What a bank says about a file of ours: pain.002, any version; also the verification of payees.

Source: ISO 20022 message definitions pain.002.001.03, .12 and .14; for verifications of payees the
answers of German banks (EBICS) since October 2025: RCVC, RVMC, RVNM, RVNA, PDNG.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from gateway.errors import Rejected
from gateway.kit.sepa import reasons
from gateway.kit.sepa.documents import streams
from gateway.kit.sepa.documents.fields import Fields, first, reference
from gateway.kit.sepa.documents.streams import Texts
from gateway.model.bank import PaymentStatus

_KEPT: Final = frozenset(
    {"OrgnlGrpInfAndSts", "OrgnlPmtInfId", "PmtInfSts", "StsRsnInf", "NbOfTxsPerSts", "TxInfAndSts"}
)
_GROUP: Final = "OrgnlPmtInfAndSts"
_MESSAGE: Final = "CstmrPmtStsRpt"
_ENDS: Final = frozenset({_GROUP, _MESSAGE})
_MOST_TEXTS: Final = 10_000
_REJECTED: Final = "RJCT"


def read(source: BinaryIO, *, limit: int = streams.LIMIT) -> Iterator[PaymentStatus]:
    """The file's own status, then of each group its payments and its status.

    Raises:
        Rejected: It is no pain.002, or not well-formed, hostile or too large.
    """
    message_id, known, position = "", False, 0
    group: Texts = {}
    for found in streams.elements(source, _KEPT, ends=_ENDS, limit=limit):
        if found.name == "OrgnlGrpInfAndSts":
            message_id = reference(found.texts, "OrgnlMsgId")
            yield _whole(message_id, "GrpSts", found.texts)
        elif found.name == "TxInfAndSts":
            position += 1
            yield _payment(position, message_id, group, found.texts)
        elif found.name == _GROUP:
            yield _whole(message_id, "PmtInfSts", group)
            group = {}
        elif found.name == _MESSAGE:
            known = True
        else:
            for path, texts in found.texts.items():
                whole = f"{found.name}/{path}" if path else found.name
                group.setdefault(whole, []).extend(texts)
                if len(group[whole]) > _MOST_TEXTS:
                    message = f"A group of the document has more than {_MOST_TEXTS} reasons."
                    raise Rejected(message, code="document_too_large")
    if not known:
        raise Rejected("The document is no pain.002.", code="document_unknown")


def refused(status: PaymentStatus) -> reasons.Reason | None:
    """Why a payment was not made; None if it is on its way."""
    return reasons.of(status.reason_code) if status.status == _REJECTED else None


def _whole(message_id: str, status: str, texts: Texts) -> PaymentStatus:
    """What is said of a file, or of a group of it."""
    return PaymentStatus(
        message_id=message_id,
        group_id=reference(texts, "OrgnlPmtInfId"),
        status=first(texts, status),
        reason_code=_reason(texts),
        counts=_counts(texts),
        texts=tuple(texts.get("StsRsnInf/AddtlInf", [])),
    )


def _payment(position: int, message_id: str, group: Texts, texts: Texts) -> PaymentStatus:
    fields = Fields(position)
    amount = fields.money(texts, "amount", "OrgnlTxRef/Amt/InstdAmt")
    # A payment without a status of its own shares that of its group.
    status = first(texts, "TxSts") or first(group, "PmtInfSts")
    if not status:
        fields.problem("status", "missing")
    mandate = "OrgnlTxRef/MndtRltdInf"
    names = (f"OrgnlTxRef/{path}" for path in ("Cdtr/Pty/Nm", "Cdtr/Nm", "Dbtr/Pty/Nm", "Dbtr/Nm"))
    return PaymentStatus(
        message_id=message_id,
        group_id=reference(group, "OrgnlPmtInfId"),
        end_to_end_id=reference(texts, "OrgnlEndToEndId"),
        status=status,
        reason_code=_reason(texts),
        amount=amount,
        mandate_id=first(texts, f"{mandate}/MndtId", f"{mandate}/DrctDbtMndt/MndtId"),
        counterparty=first(texts, *names),
        texts=tuple(texts.get("StsRsnInf/AddtlInf", [])),
        problems=tuple(fields.problems),
    )


def _reason(texts: Texts) -> str:
    return first(texts, "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")


def _counts(texts: Texts) -> tuple[tuple[str, int], ...]:
    """Status and number of payments, where a bank gives both for each."""
    known = texts.get("NbOfTxsPerSts/DtldSts", [])
    counts = texts.get("NbOfTxsPerSts/DtldNbOfTxs", [])
    if len(known) != len(counts) or not all(map(str.isdecimal, counts)):
        return ()
    return tuple(zip(known, map(int, counts), strict=True))
