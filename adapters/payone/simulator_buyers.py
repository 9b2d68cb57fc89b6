"""What the simulated PAYONE demands of who buys on invoice, of the cart, and of wallets.

Source: API definition 1.61.0 (Customer, CartItemInput, CustomerDevice, MobilePayment…Input);
README of PCP-client-javascript-SDK ("Fingerprinting Tokenizer"), read 2026-11.
"""

import re
from typing import Any, Final, TypeAlias

from adapters.payone.simulator_errors import Refusal

Json: TypeAlias = dict[str, Any]

_INVOICE: Final = 3390
_DEBIT: Final = 3392
_APPLE: Final = 302
_CLICK: Final = 5002
# "DISCOVER (not supported yet)", "JCB (not supported yet)".
_NETWORKS: Final = frozenset({"MASTERCARD", "VISA", "AMEX", "GIROCARD"})
_DEVICE: Final = re.compile(r"[^_]+_[^_]+_.+")
_BORN: Final = re.compile(r"(19|20|21)[0-9]{6}")
_LENGTHS: Final = {"street": 50, "houseNumber": 10, "additionalInfo": 50, "zip": 10, "city": 40}
_MOST_PIECES: Final = 9_999


def check_wallet(given: Json) -> None:
    """Refuse what no wallet gives."""
    product = given.get("paymentProductId")
    if product not in {_APPLE, _CLICK}:
        raise _refusal("paymentProductId")
    inner = given.get(f"paymentProduct{product}SpecificInput") or {}
    if inner.get("network") not in _NETWORKS:
        raise _refusal("network")
    if product == _CLICK:
        _demand(inner, "paymentCheckoutData", "srcDpaId")
        return
    _demand(given, "encryptedPaymentData", "publicKeyHash", "ephemeralKey")
    token = inner.get("token") or {}
    _demand(token, "signature", "header")
    _demand(token["header"], "transactionId")
    if token.get("version") != "EC_V1":
        raise _refusal("version")


def check_buyer(body: Json, given: Json) -> None:
    """Refuse who does not say who he is, what he buys, or from where he pays."""
    financing = given["financingPaymentMethodSpecificInput"]
    product = financing.get("paymentProductId")
    checkout, customer = body["checkout"], body.get("customer") or {}
    if product not in {_INVOICE, _DEBIT} or checkout["amountOfMoney"]["currencyCode"] != "EUR":
        raise _refusal("paymentProductId")
    device = given.get("customerDevice") or {}
    if not _DEVICE.fullmatch(device.get("deviceToken", "")):
        raise _refusal("deviceToken")
    if customer.get("businessRelation") not in {"B2B", "B2C"}:
        raise _refusal("businessRelation")
    person = customer.get("personalInformation") or {}
    _demand(person.get("name") or {}, "firstName", "surname")
    _demand(customer.get("contactDetails") or {}, "emailAddress", "phoneNumber")
    _check_address(customer.get("billingAddress") or {})
    if customer["businessRelation"] == "B2B":
        _demand(customer.get("companyInformation") or {}, "name")
    elif not _BORN.fullmatch(person.get("dateOfBirth", "")):
        raise _refusal("dateOfBirth")
    if product == _DEBIT:
        _check_account(financing.get("paymentProduct3392SpecificInput") or {})
    _check_cart(checkout)


def _check_address(address: Json) -> None:
    _demand(address, "street", "zip", "city", "countryCode")
    for name, longest in _LENGTHS.items():
        if len(address.get(name, "")) > longest:
            raise _refusal(name)


def _check_account(given: Json) -> None:
    account = given.get("bankAccountInformation") or {}
    _demand(account, "iban", "accountHolder")
    for name, longest in (("iban", 35), ("accountHolder", 50)):
        if len(account[name]) > longest:
            raise _refusal(name)


def _check_cart(checkout: Json) -> None:
    items = (checkout.get("shoppingCart") or {}).get("items")
    if not items:
        raise _refusal("shoppingCart")
    total = 0
    for one in items:
        line = one.get("orderLineDetails") or {}
        price, pieces = line.get("productPrice"), line.get("quantity")
        if type(price) is not int or type(pieces) is not int or not 0 < pieces <= _MOST_PIECES:
            raise _refusal("orderLineDetails")
        total += price * pieces
    if total != checkout["amountOfMoney"]["amount"]:
        raise _refusal("amountOfMoney")


def _demand(given: Json, *names: str) -> None:
    for name in names:
        if not given.get(name):
            raise _refusal(name)


def _refusal(field: str) -> Refusal:
    return Refusal(400, "21000020", field)
