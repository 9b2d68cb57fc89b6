"""The three mappings as one writes them by hand, for speed: Structs in, dictionaries out.

The engine is compared with these, for equality and for time, so each is one function without
calls that a careful author would avoid. A failure is a ``LookupError`` or a ``ValueError``: a code
that is not listed, a text that is too long for its field.

Source: the mapping files and golden examples in ``contracts/mapping``, read 2026-11.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from gateway.model.money import scale
from tests.mappings.sources import CustomerOrder, Invoice, PaymentIntent

CATEGORY: Final = {"person": "1", "organization": "2"}
SALUTATION: Final = {"mr": "0002", "ms": "0001", "company": "0003", "mx": None}
TERMS: Final = {"immediate": "0001", "net14": "NT14", "net30": "NT30", "net60": "NT60"}
USAGE: Final = {"registered": "XXDEFAULT", "billing": "BILL_TO", "shipping": "SHIP_TO"}
CHANNEL: Final = {"web": "10", "app": "20", "dealer": "30"}
TAX_SUFFIX: Final = {"vat": "0", "national": "1"}
GL: Final = {
    "lease": "41000000",
    "service": "41000100",
    "usage": "41000200",
    "fee": "41000300",
}
TAX: Final = {"standard": "A1", "reduced": "A2", "zero": "A0", "reverse": "E1"}
STATUS: Final = {
    "requires_payment_method": "failed",
    "requires_confirmation": "pending",
    "requires_action": "requires_action",
    "processing": "pending",
    "requires_capture": "authorized",
    "canceled": "canceled",
    "succeeded": "captured",
}
METHOD: Final = {"card": "card", "sepa_debit": "sepa_debit", "paypal": "paypal"}

UNIX_DAY: Final = 719_163  # ordinal of 1970-01-01
DAY_MS: Final = 86_400_000
EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - its text gets a Z, not an offset
# What one minor unit is worth, by number of decimals; Decimal * int is quicker than scaleb.
UNIT: Final = tuple(Decimal(1).scaleb(-decimals) for decimals in range(5))
UNITS: Final[dict[str, Decimal]] = {}

decode_json: Final = msgspec.json.Decoder().decode


class SapConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Tenant parameters of the business partner."""

    grouping: str
    recon: str
    sales_org: str
    company_code: dict[str, str]


class PostingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Tenant parameters of the journal entry."""

    companies: dict[str, str]


def sap_bp(  # noqa: C901, PLR0912, PLR0915 - a call costs, so it is one function
    source: CustomerOrder, config: SapConfig
) -> dict[str, Any]:
    """T1: a deep insert of A_BusinessPartner."""
    customer = source.customer
    language = customer.language.upper()
    terms = TERMS[customer.payment_terms]
    email, phone = customer.email, customer.phone
    partner: dict[str, Any] = {
        "BusinessPartnerCategory": CATEGORY[customer.kind],
        "BusinessPartnerGrouping": config.grouping,
        "CorrespondenceLanguage": language,
        "BusinessPartnerIDByExtSystem": customer.id[:20],
    }
    if (salutation := customer.salutation) is not None:
        form = SALUTATION[salutation]
        if form is not None:
            partner["FormOfAddress"] = form
    if customer.first_name is not None:
        partner["FirstName"] = customer.first_name
    company = customer.company_name
    if (name := customer.last_name) is not None:
        partner["LastName"] = name
    else:
        name = company
    if company is not None:
        partner["OrganizationBPName1"] = company[:40]
        if rest := company[40:80]:
            partner["OrganizationBPName2"] = rest
    if name is not None:
        partner["SearchTerm1"] = name.upper()[:20]
    if (born := customer.birth_date) is not None:
        partner["BirthDate"] = f"/Date({(born.toordinal() - UNIX_DAY) * DAY_MS})/"
    partner["to_BusinessPartnerRole"] = {
        "results": [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}]
    }
    home = None
    addresses = []
    for a in customer.addresses:
        kind = a.kind
        address: dict[str, Any] = {
            "StreetName": a.street,
            "PostalCode": a.postal_code,
            "CityName": a.city,
            "Country": a.country,
            "Language": language,
            "to_AddressUsage": {"results": [{"AddressUsage": USAGE[kind]}]},
        }
        if a.house_number is not None:
            address["HouseNumber"] = a.house_number
        if a.region is not None:
            address["Region"] = a.region
        if a.care_of is not None:
            address["CareOfName"] = a.care_of
        if kind == "registered":
            if home is None:
                home = a.country
            if email is not None:
                address["to_EmailAddress"] = {
                    "results": [{"EmailAddress": email, "IsDefaultEmailAddress": True}]
                }
            if phone is not None:
                number = phone.replace(" ", "")
                address["to_PhoneNumber"] = {
                    "results": [{"PhoneNumber": number, "IsDefaultPhoneNumber": True}]
                }
        addresses.append(address)
    partner["to_BusinessPartnerAddress"] = {"results": addresses}
    if home is None:
        raise LookupError("no registered address")
    accounts = []
    for position, b in enumerate(customer.bank_accounts, 1):
        account = {
            "BankIdentification": str(position).zfill(4),
            "BankCountryKey": b.iban[:2],
            "IBAN": b.iban,
            "BankAccountHolderName": b.holder,
        }
        if b.bic is not None:
            account["SWIFTCode"] = b.bic
        accounts.append(account)
    partner["to_BusinessPartnerBank"] = {"results": accounts}
    partner["to_BusinessPartnerTax"] = {
        "results": [
            {"BPTaxType": f"{t.country}{TAX_SUFFIX[t.kind]}", "BPTaxNumber": t.number}
            for t in customer.tax_ids
        ]
    }
    order = source.order
    partner["to_Customer"] = {
        "to_CustomerCompany": {
            "results": [
                {
                    "CompanyCode": config.company_code[home],
                    "PaymentTerms": terms,
                    "ReconciliationAccount": config.recon,
                    "PaymentMethodsList": "E" if accounts else "U",
                }
            ]
        },
        "to_CustomerSalesArea": {
            "results": [
                {
                    "SalesOrganization": config.sales_org,
                    "DistributionChannel": CHANNEL[order.channel],
                    "Division": "00",
                    "Currency": order.currency,
                    "CustomerPaymentTerms": terms,
                }
            ]
        },
    }
    return partner


def stripe_pi(source: PaymentIntent) -> dict[str, Any]:
    """T2: a PaymentIntent as our payment."""
    currency = source.currency.upper()
    unit = UNITS.get(currency) or _unit(currency)
    payment: dict[str, Any] = {
        "id": source.id,
        "psp": "stripe",
        "status": STATUS[source.status],
        "amount": str(source.amount * unit),
        "captured": str(source.amount_received * unit),
        "currency": currency,
        "created_at": (EPOCH + timedelta(0, source.created)).isoformat() + "Z",
    }
    if (order_id := source.metadata.order_id) is not None:
        payment["order_id"] = order_id
    if (charge := source.latest_charge) is not None:
        how = charge.payment_method_details
        if how is not None:
            payment["method"] = METHOD.get(how.type, "other")
            if (card := how.card) is not None:
                payment["card"] = {
                    "brand": card.brand,
                    "last4": card.last4,
                    "exp_month": card.exp_month,
                    "exp_year": card.exp_year,
                }
    if (error := source.last_payment_error) is not None:
        code = error.code
        payment["failure"] = failure = {"code": error.type if code is None else code}
        if error.message is not None:
            failure["message"] = error.message
    if source.description is not None:
        payment["description"] = source.description
    return payment


def stripe_pi_bytes(body: bytes) -> dict[str, Any]:
    """T2 from the bytes of the vendor: the JSON is read, nothing of it is checked."""
    source = decode_json(body)
    currency = source["currency"].upper()
    unit = UNITS.get(currency) or _unit(currency)
    payment: dict[str, Any] = {
        "id": source["id"],
        "psp": "stripe",
        "status": STATUS[source["status"]],
        "amount": str(source["amount"] * unit),
        "captured": str(source["amount_received"] * unit),
        "currency": currency,
        "created_at": (EPOCH + timedelta(0, source["created"])).isoformat() + "Z",
    }
    if (order_id := source["metadata"].get("order_id")) is not None:
        payment["order_id"] = order_id
    if (charge := source.get("latest_charge")) is not None:
        how = charge.get("payment_method_details")
        if how is not None:
            payment["method"] = METHOD.get(how["type"], "other")
            if (card := how.get("card")) is not None:
                payment["card"] = {
                    "brand": card["brand"],
                    "last4": card["last4"],
                    "exp_month": card["exp_month"],
                    "exp_year": card["exp_year"],
                }
    if (error := source.get("last_payment_error")) is not None:
        code = error.get("code")
        payment["failure"] = failure = {"code": error["type"] if code is None else code}
        if (message := error.get("message")) is not None:
            failure["message"] = message
    if (description := source.get("description")) is not None:
        payment["description"] = description
    return payment


def _unit(currency: str) -> Decimal:
    """What one minor unit is worth; remembered, because currencies are few."""
    UNITS[currency] = unit = UNIT[scale(currency)]
    return unit


def sap_je(source: Invoice, config: PostingConfig) -> dict[str, Any]:
    """T3: the posting of an invoice; revenue and tax are grouped in one pass."""
    number = source.number.upper()
    if len(number) > 16:  # a capital can be longer: ß
        raise ValueError("DocumentReferenceID has 16 characters")
    revenues: dict[tuple[str, str], list[Any]] = {}
    taxes: dict[str, list[Decimal]] = {}
    for line in source.lines:
        tax_code, net = line.tax_code, line.net
        key = (tax_code, line.product_group)
        if (revenue := revenues.get(key)) is None:
            revenues[key] = [net, 1]
        else:
            revenue[0] += net
            revenue[1] += 1
        if (tax := taxes.get(tax_code)) is None:
            taxes[tax_code] = [line.tax, net]
        else:
            tax[0] += line.tax
            tax[1] += net
    debtor = source.customer_no.strip(" ")
    digits = debtor.isascii() and debtor.isdecimal()
    items = [
        {
            "ReferenceDocumentItem": "1",
            "Debtor": debtor.zfill(10) if digits else source.customer_no,
            "AmountInTransactionCurrency": f"{source.gross:f}",
            "DueCalculationBaseDate": source.due_on.isoformat(),
        }
    ]
    position = 1
    for (tax_code, group), (net, count) in revenues.items():
        position += 1
        items.append(
            {
                "ReferenceDocumentItem": str(position),
                "GLAccount": GL[group],
                "TaxCode": TAX[tax_code],
                "AmountInTransactionCurrency": f"{-net:f}",
                "DocumentItemText": f"{count} x {group}",
            }
        )
    tax_items = []
    for tax_code, (amount, base) in taxes.items():
        if amount != 0:
            position += 1
            tax_items.append(
                {
                    "ReferenceDocumentItem": str(position),
                    "TaxCode": TAX[tax_code],
                    "AmountInTransactionCurrency": f"{-amount:f}",
                    "TaxBaseAmountInTransCrcy": f"{-base:f}",
                }
            )
    issued = source.issued_on.isoformat()
    return {
        "CompanyCode": config.companies[source.company],
        "AccountingDocumentType": "DR",
        "DocumentDate": issued,
        "PostingDate": issued,
        "DocumentReferenceID": number,
        "TransactionCurrency": source.currency,
        "Item": items,
        "ProductTaxItem": tax_items,
    }
