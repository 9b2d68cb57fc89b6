"""What the simulated Stripe demands of a payment method, and what it then asks of the payer.

Source: docs.stripe.com/payments, a page for each method, and /connect/destination-charges; OpenAPI
document of 2023-08-16, read 2026-11.
"""

import uuid
from typing import Any, Final, TypeAlias

from adapters.stripe.simulator_forms import Refusal, missing, require

Json: TypeAlias = dict[str, Any]

# Payment method: type, and what becomes of a charge.
# Source: docs.stripe.com/testing and docs.stripe.com/payments/sepa-debit, read 2026-11.
TOKENS: Final = {
    "pm_card_visa": ("card", "ok"),
    "pm_card_mastercard": ("card", "ok"),
    "pm_card_de": ("card", "ok"),
    "pm_card_authenticationRequired": ("card", "action"),
    "pm_card_threeDSecure2Required": ("card", "action"),
    "pm_card_chargeDeclined": ("card", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("card", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("card", "expired_card"),
    "pm_card_chargeDeclinedProcessingError": ("card", "processing_error"),
    "pm_success_de": ("sepa_debit", "ok"),
    "pm_failed_de": ("sepa_debit", "generic_decline"),
    # Invented: Stripe has no test card of which only the first amount is authorised.
    "pm_card_incrementDeclined": ("card", "ok"),
    "pm_link": ("link", "ok"),
    "pm_saved": ("card", "ok"),
    "pm_saved_asks": ("card", "authentication_required"),
    "pm_bacs": ("bacs_debit", "ok"),
}
# Methods that are made with the payment: currencies, and what must be known of the payer.
_METHODS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "klarna": (
        "aud cad chf czk dkk eur gbp nok nzd pln sek usd",
        ("email", "address.country"),
    ),
    "paypal": ("aud cad chf czk dkk eur gbp hkd nok nzd pln sek sgd usd", ()),
    "alipay": ("aud cad cny eur gbp hkd jpy myr nzd sgd usd", ()),
    "wechat_pay": ("aud cad chf cny dkk eur gbp hkd jpy nok sek sgd usd", ()),
    "ideal": ("eur", ()),
    "bancontact": ("eur", ("name",)),
    "eps": ("eur", ("name",)),
    "p24": ("eur pln", ("email",)),
    "blik": ("pln", ()),
    "customer_balance": ("eur", ()),
}
_PAGES: Final = frozenset(
    {"alipay", "bancontact", "eps", "ideal", "klarna", "p24", "paypal", "wechat_pay"}
)
# What may wait for its capture.
_HELD: Final = frozenset({"card", "klarna", "link", "paypal"})
_COUNTRIES: Final = frozenset({"BE", "DE", "ES", "FR", "IE", "NL"})
_SAVED: Final = frozenset({"pm_bacs", "pm_saved", "pm_saved_asks"})
_CUSTOMER: Final = "cus_simulated"
_MEMBERS: Final = frozenset({"acct_simulated", "acct_1032D82eZvKYlo2C"})


def check_data(params: Json) -> None:
    """Refuse a method that is made with the payment where it lacks something."""
    data, options = params["payment_method_data"], params.get("payment_method_options", {})
    kind = data.get("type", "")
    if kind not in _METHODS:
        raise Refusal(400, {"param": "payment_method_data[type]", "message": "Invalid type."})
    if kind not in params.get("payment_method_types", ["card"]):
        message = f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent."
        raise Refusal(400, {"message": message, "param": "payment_method_data"})
    currencies, needed = _METHODS[kind]
    if params["currency"] not in currencies.split():
        message = f"The currency provided is invalid for {kind}."
        raise Refusal(400, {"param": "currency", "message": message})
    if "payment_method" in params:
        raise Refusal(400, {"message": "You may only specify one of these parameters."})
    for name in needed:
        _demand(data.get("billing_details", {}), name)
    if kind in _PAGES and params.get("confirm"):
        require(params, "return_url")
    if kind == "blik" and not str(options.get("blik", {}).get("code", "")).isdigit():
        param = "payment_method_options[blik][code]"
        raise Refusal(400, {"param": param, "message": "Blik codes have six digits."})
    if kind == "wechat_pay" and options.get("wechat_pay", {}).get("client") != "web":
        require({}, "payment_method_options[wechat_pay][client]")
    if kind == "customer_balance":
        _check_balance(params, options.get("customer_balance", {}))


def check_captured(kind: str, params: Json) -> None:
    """Refuse to hold what is collected at once."""
    if params.get("capture_method") == "manual" and kind not in _HELD:
        message = f"{kind} does not support manual capture."
        raise Refusal(400, {"param": "capture_method", "message": message})


def check_owner(token: str, params: Json) -> None:
    """Refuse a saved instrument without the Customer whose it is."""
    if token in _SAVED and params.get("customer") != _CUSTOMER:
        message = "The PaymentMethod belongs to a Customer: please include it."
        raise Refusal(400, {"param": "payment_method", "message": message})


def known(token: str) -> tuple[str, str]:
    """Type and outcome of a token of Stripe's own."""
    if token not in TOKENS:
        raise missing("payment_method", token)
    return TOKENS[token]


def check_attached(saved: Json, params: Json) -> None:
    """Refuse an instrument that is no Customer's any more, or another one's."""
    if saved["customer"] is None or params.get("customer") != saved["customer"]:
        message = "The PaymentMethod is not attached to this Customer."
        raise Refusal(400, {"param": "payment_method", "message": message})


def is_debit(intent: Json) -> bool:
    """Whether a bank has to be asked for the money, which takes days."""
    return intent["payment_method_types"][0] in {"bacs_debit", "sepa_debit"}


def check_mandate(kind: str, params: Json) -> None:
    """Refuse a SEPA debit in another currency, and what nobody agreed to."""
    if kind == "sepa_debit" and params["currency"] != "eur":
        raise Refusal(400, {"param": "currency", "message": "sepa_debit is available in eur only"})
    if kind in {"link", "sepa_debit"} and params.get("confirm"):
        require(params, "mandate_data")


def check_divided(params: Json, amount: int) -> None:
    """Refuse a member that is not connected, and a commission that cannot be taken."""
    if "transfer_data" in params:
        member = params["transfer_data"].get("destination", "")
        if member not in _MEMBERS:
            message = f"No such destination: '{member}'"
            param = "transfer_data[destination]"
            raise Refusal(400, {"code": "resource_missing", "param": param, "message": message})
    fee = params.get("application_fee_amount")
    if fee is not None and "transfer_data" not in params:
        message = "Can only apply an application_fee when the payment is of a connected account."
        raise Refusal(400, {"param": "application_fee_amount", "message": message})
    if fee is not None and not 0 < fee <= amount:
        message = "The application fee is larger than the amount."
        raise Refusal(400, {"param": "application_fee_amount", "message": message})


def check_reversed(params: Json, intent: Json) -> None:
    """Refuse to take back what nobody was given."""
    if params.get("reverse_transfer") and not intent["transfer_data"]:
        message = (
            "Cannot reverse transfer on charge because it does not have an associated transfer."
        )
        raise Refusal(400, {"param": "reverse_transfer", "message": message})
    if params.get("refund_application_fee") and not intent["application_fee_amount"]:
        message = "Cannot refund application fee because the charge has none."
        raise Refusal(400, {"param": "refund_application_fee", "message": message})


def next_action(intent: Json, params: Json) -> Json:
    """What the payer is asked for."""
    kind, page = intent["payment_method_types"][0], _page(intent)
    back = params.get("return_url")
    if kind == "alipay":
        handled = {"native_data": None, "native_url": None, "return_url": back, "url": page}
        return {"type": "alipay_handle_redirect", "alipay_handle_redirect": handled}
    if kind == "wechat_pay":
        code = {
            "data": f"weixin://wxpay/bizpayurl?pr={uuid.uuid4().hex[:9]}",
            "hosted_instructions_url": page,
            "image_data_url": "data:image/png;base64,",
            "image_url_png": page,
            "image_url_svg": page,
        }
        return {"type": "wechat_pay_display_qr_code", "wechat_pay_display_qr_code": code}
    if kind == "blik":
        return {"type": "blik_authorize"}
    if kind == "customer_balance":
        shown = _instructions(intent, page)
        return {
            "type": "display_bank_transfer_instructions",
            "display_bank_transfer_instructions": shown,
        }
    if back:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": back, "url": page}}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {}}


def _check_balance(params: Json, asked: Json) -> None:
    require(params, "customer")
    if params["customer"] != _CUSTOMER:
        message = f"No such customer: '{params['customer']}'"
        error = {"code": "resource_missing", "param": "customer", "message": message}
        raise Refusal(400, error)
    transfer = asked.get("bank_transfer", {})
    country = transfer.get("eu_bank_transfer", {}).get("country")
    if asked.get("funding_type") != "bank_transfer" or transfer.get("type") != "eu_bank_transfer":
        require({}, "payment_method_options[customer_balance][bank_transfer][type]")
    if country not in _COUNTRIES:
        raise Refusal(400, {"message": f"No bank transfers to {country}."})


def _demand(details: Json, name: str) -> None:
    found: Any = details
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    if not found:
        path = "".join(f"[{step}]" for step in name.split("."))
        require({}, f"payment_method_data[billing_details]{path}")


def _page(intent: Json) -> str:
    return f"https://pm-redirects.stripe.com/authorize/{intent['id']}"


def _instructions(intent: Json, page: str) -> Json:
    account = {
        "account_holder_name": "Simulated",
        "bic": "SXPYDEHH",
        "country": "DE",
        "iban": "DE11243002876644205900",
    }
    return {
        "amount_remaining": intent["amount"],
        "currency": intent["currency"],
        "financial_addresses": [
            {"type": "iban", "iban": account, "supported_networks": ["sepa"]},
        ],
        "hosted_instructions_url": page,
        "reference": intent["id"][-12:].upper(),
        "type": "eu_bank_transfer",
    }
