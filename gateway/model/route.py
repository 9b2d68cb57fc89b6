"""Routes: where a payment goes, and why there."""

import msgspec


class RouteReason(msgspec.Struct, frozen=True):
    """Why a system was taken or left.

    Attributes:
        code: ``pinned``, ``rule``, ``default``, ``next``, ``unhealthy``, ``other_rule``,
            ``not_configured``, or what its methods lack: ``method_unsupported``,
            ``country_unsupported``, ``currency_unsupported``, ``capture_unsupported``,
            ``held_only``, ``splits_unsupported``, ``token_missing``, ``mandate_missing``,
            ``payer_missing``, ``return_url_missing``; ``tried`` where an earlier attempt had no
            effect.
    """

    system: str
    code: str


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The decision, kept with the payment.

    Attributes:
        system: Where the payment goes; empty where no system can take it.
        rule: The name of the rule that decided; empty for the default.
    """

    system: str
    rule: str = ""
    reasons: tuple[RouteReason, ...] = ()
