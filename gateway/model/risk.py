"""The decision before a contract: may this party have this order, and pay how."""

from enum import StrEnum

import msgspec


class RiskState(StrEnum):
    """What became of an assessment."""

    ACCEPTED = "ACCEPTED"
    REVIEW = "REVIEW"
    REJECTED = "REJECTED"


class RiskReason(msgspec.Struct, frozen=True):
    """Why a decision fell as it did.

    Attributes:
        code: Stable name of the rule, such as ``AMOUNT_ABOVE_LIMIT``.
        text: One sentence for the person who has to explain it to the customer.
    """

    code: str
    text: str


class RiskAssessment(msgspec.Struct, frozen=True, kw_only=True):
    """One assessment of one order.

    Attributes:
        inputs_hash: SHA-256 of the input, so that a decision can be reproduced and not doubled.
        strategy_version: Name and content hash of the table that decided.
        methods_allowed: Payment methods offered after this decision.
        explanation: Each rule that matched, as the table's own trace (JSON).
        degraded: A fallback decided because a bureau did not answer.
    """

    assessment_id: str
    party_id: str
    order_id: str
    purpose: str
    inputs_hash: str
    strategy_version: str
    decision: RiskState
    methods_allowed: tuple[str, ...]
    reasons: tuple[RiskReason, ...]
    explanation: str = ""
    degraded: bool = False
