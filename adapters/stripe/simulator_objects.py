"""The objects of the simulated Stripe, with every field that its schema requires.

Source: Stripe's OpenAPI document of 2023-08-16, read 2026-11.
"""

import json
import uuid
from copy import deepcopy
from typing import Any, TypeAlias

from adapters.stripe.simulator_forms import Refusal

Json: TypeAlias = dict[str, Any]


def encode(content: Json) -> bytes:
    """JSON as it goes over the wire."""
    return json.dumps(content, separators=(",", ":")).encode()


def new_id(prefix: str) -> str:
    """An id in Stripe's form, never given twice."""
    return f"{prefix}_{uuid.uuid4().hex[:24]}"


def our_id(intent: Json) -> str:
    """The payment id that the caller sent, or else Stripe's."""
    return str(intent["metadata"].get("payment_id", intent["id"]))


def may_grow(intent: Json) -> bool:
    """Whether it was said at the beginning that more may be authorised later."""
    asked = intent["payment_method_options"].get("card", {})
    return bool(asked.get("request_incremental_authorization") == "if_available")


def new_intent(params: Json, types: list[str], now: float) -> Json:
    """A PaymentIntent to which nothing has happened."""
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_received": 0,
        "application_fee_amount": params.get("application_fee_amount"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic"),
        "client_secret": f"{intent_id}_secret_{uuid.uuid4().hex[:24]}",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": int(now),
        "currency": params["currency"],
        "customer": None,
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "next_action": None,
        "payment_method": params.get("payment_method"),
        "payment_method_options": params.get("payment_method_options", {}),
        "payment_method_types": types,
        "status": "requires_confirmation"
        if "payment_method" in params
        else "requires_payment_method",
        "transfer_data": params.get("transfer_data"),
        "transfer_group": params.get("transfer_group"),
    }


def new_charge(intent: Json, now: float) -> Json:
    """A charge that holds the money and has not taken it."""
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": False,
        "created": int(now),
        "currency": intent["currency"],
        "disputed": False,
        "failure_code": None,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "refunded": False,
        "status": "succeeded",
        "transfer_group": intent["transfer_group"],
    }


def new_refund(intent: Json, params: Json, amount: int, now: float) -> Json:
    """A refund; a transfer to a bank account takes its time, or the payer names one first."""
    kind = intent["payment_method_types"][0]
    status = {"bacs_debit": "pending", "sepa_debit": "pending"}.get(kind, "succeeded")
    if kind == "customer_balance":
        status = "requires_action"
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": intent["latest_charge"],
        "created": int(now),
        "currency": intent["currency"],
        "metadata": params.get("metadata", {}),
        "payment_intent": intent["id"],
        "reason": params.get("reason"),
        "status": status,
    }


def unexpected(intent: Json, verb: str) -> Refusal:
    """The state of the PaymentIntent forbids it."""
    message = f"This PaymentIntent could not be {verb} because of its status {intent['status']}."
    error = {
        "code": "payment_intent_unexpected_state",
        "message": message,
        "payment_intent": deepcopy(intent),
    }
    return Refusal(400, error, stored=True)
