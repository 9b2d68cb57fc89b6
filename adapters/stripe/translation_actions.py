"""Actions: what a payer has to be shown, by our names.

The language of mappings has no fields for a map. Source: Stripe's OpenAPI document of 2023-08-16,
payment_intent_next_action.
"""

from typing import Final

import msgspec


class _Iban(msgspec.Struct, frozen=True):
    iban: str
    bic: str


class _Address(msgspec.Struct, frozen=True):
    iban: _Iban | None = None


class _Transfer(msgspec.Struct, frozen=True):
    financial_addresses: tuple[_Address, ...] = ()
    reference: str | None = None


class _Code(msgspec.Struct, frozen=True):
    data: str


class _Action(msgspec.Struct, frozen=True):
    wechat_pay_display_qr_code: _Code | None = None
    display_bank_transfer_instructions: _Transfer | None = None


class _Intent(msgspec.Struct, frozen=True):
    next_action: _Action | None = None


_INTENT: Final = msgspec.json.Decoder(_Intent)


def details(intent: bytes | msgspec.Raw) -> dict[str, str]:
    """Code, reference and account; nothing where there is nothing to be shown.

    Raises:
        DecodeError: The action has another shape.
    """
    action = _INTENT.decode(intent).next_action or _Action()
    if code := action.wechat_pay_display_qr_code:
        return {"qr_code": code.data}
    if transfer := action.display_bank_transfer_instructions:
        account = next((one.iban for one in transfer.financial_addresses if one.iban), None)
        found = {"reference": transfer.reference or ""}
        return found | ({"iban": account.iban, "bic": account.bic} if account else {})
    return {}
