"""Why money came back: what each reason code of an R-transaction means for us.

R-transactions are rejects, returns, refunds and reversals. In Germany insufficient funds and a
debtor's death come as MS03, for data protection: it is therefore tried once more.

Source: ISO 20022 external code sets (return and status reason), 2Q2026; EPC173-14, guidance on
reason codes for direct debit R-transactions.
"""

from enum import StrEnum
from typing import Final

import msgspec


class ReasonClass(StrEnum):
    """What kind of failure it is; the classes of the payments' errors."""

    DECLINED_SOFT = "declined_soft"
    DECLINED_HARD = "declined_hard"
    INVALID_REQUEST = "invalid_request"
    NOT_EXECUTED = "not_executed"
    DUPLICATE = "duplicate"
    UNKNOWN_CODE = "unknown_code"


class Next(StrEnum):
    """What to do with the claim."""

    RETRY = "retry"
    CONTACT_DEBTOR = "contact_debtor"
    NEW_ACCOUNT = "new_account"
    REOPEN_CLAIM = "reopen_claim"
    CORRECT = "correct"
    STOP = "stop"
    MANUAL = "manual"


class MandateEffect(StrEnum):
    """What becomes of the mandate."""

    KEEP = "keep"
    SUSPEND = "suspend"
    REVOKE = "revoke"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason code.

    Attributes:
        text: What it says, in our words.
        kind: The class that decides.
        then: What to do next.
        mandate: What becomes of the mandate.
        retries: How often the same claim may be collected again without a person.
    """

    code: str
    text: str
    kind: ReasonClass
    then: Next
    mandate: MandateEffect = MandateEffect.KEEP
    retries: int = 0


_TABLE: Final = """
AC01 declined_hard   new_account    suspend 0 account number wrong
AC04 declined_hard   new_account    suspend 0 account closed
AC06 declined_hard   new_account    suspend 0 account blocked
AC13 declined_hard   new_account    suspend 0 consumer account in B2B
AG01 declined_hard   new_account    suspend 0 account type forbids direct debits
AG02 invalid_request correct        keep    0 operation or sequence code wrong
AG07 declined_soft   retry          keep    1 account cannot be debited, reason kept back
AM04 declined_soft   retry          keep    2 insufficient funds
AM05 duplicate       manual         keep    0 collected twice
BE05 invalid_request correct        keep    0 creditor identifier not known
CNOR invalid_request correct        keep    0 creditor bank not registered
DNOR invalid_request correct        keep    0 debtor bank not registered
FF01 invalid_request correct        keep    0 file format
FF05 invalid_request correct        keep    0 local instrument wrong
FOCR declined_hard   reopen_claim   keep    0 given back after a recall
MD01 declined_hard   stop           revoke  0 no valid mandate
MD02 declined_hard   manual         suspend 0 mandate data missing or wrong
MD05 invalid_request manual         keep    0 should not have been collected
MD06 declined_hard   reopen_claim   keep    0 refund demanded by the debtor
MD07 declined_hard   manual         suspend 0 debtor deceased
MS02 declined_hard   contact_debtor keep    0 refused by the debtor
MS03 declined_soft   retry          keep    1 reason not given by the bank
RC01 invalid_request correct        keep    0 bank identifier wrong
RR01 declined_hard   manual         keep    0 regulatory: account or identification of the debtor
RR02 declined_hard   manual         keep    0 regulatory: name or address of the debtor
RR03 declined_hard   manual         keep    0 regulatory: name or address of the creditor
RR04 declined_hard   manual         keep    0 regulatory
SL01 declined_hard   stop           suspend 0 debtor has restricted direct debits
SL11 declined_hard   stop           suspend 0 creditor is not on the debtor's list
SL12 declined_hard   stop           suspend 0 creditor is on the debtor's black list
SL13 declined_hard   contact_debtor keep    0 debtor limits the number of collections
SL14 declined_hard   contact_debtor keep    0 debtor limits the amount
TM01 not_executed    correct        keep    0 received after the cut-off
"""

# The bank has it already: the second one was refused, and the first one counts.
DUPLICATE: Final = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"})


def _reason(line: str) -> Reason:
    code, kind, then, mandate, retries, text = line.split(maxsplit=5)
    return Reason(
        code=code,
        text=text,
        kind=ReasonClass(kind),
        then=Next(then),
        mandate=MandateEffect(mandate),
        retries=int(retries),
    )


REASONS: Final = {
    reason.code: reason for reason in (_reason(line) for line in _TABLE.strip().splitlines())
}


def of(code: str) -> Reason:
    """What a reason code means for us; a person looks at one that nobody told us of."""
    known = REASONS.get(code)
    if known is not None:
        return known
    kind, then = ReasonClass.UNKNOWN_CODE, Next.MANUAL
    return Reason(code=code, text="a code that we do not know", kind=kind, then=then)
