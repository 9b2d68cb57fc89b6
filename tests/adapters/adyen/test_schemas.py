"""Our reduced schemas of Adyen against Adyen's own documents, where they are at hand."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
OURS: Final = ROOT / "mappings/adyen/schemas"
FOLDER: Final = Path("payments/adyen")
BODIES: Final = {
    "payment": "/payments",
    "capture": "/payments/{paymentPspReference}/captures",
    "cancel": "/payments/{paymentPspReference}/cancels",
    "abandon": "/cancels",
    "refund": "/payments/{paymentPspReference}/refunds",
}
ANSWERS: Final = {
    "payment": ("PaymentResponse",),
    "modification": (
        "PaymentCaptureResponse",
        "PaymentCancelResponse",
        "PaymentRefundResponse",
        "StandalonePaymentCancelResponse",
    ),
}


def loaded(path: Path) -> dict[str, Any]:
    if not path.is_file():
        pytest.skip("contracts not found")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def theirs(contracts: Path) -> dict[str, Any]:
    """Checkout v71."""
    return loaded(contracts / FOLDER / "CheckoutService-v71.json")


def resolved(spec: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema, or its choices, without references."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return resolved(spec, (spec.get("components", {}).get("schemas") or spec["$defs"])[name])
    if "oneOf" in schema:
        return [each for one in schema["oneOf"] for each in resolved(spec, one)]
    return [schema]


def differences(
    ours: dict[str, Any], spec: dict[str, Any], our: dict[str, Any], their: dict[str, Any], at: str
) -> list[str]:
    """Where our schema has what theirs does not, or says another type, code or length."""
    (mine,), choices = resolved(ours, our), resolved(spec, their)
    found: list[str] = []
    for name, value in mine.get("properties", {}).items():
        known = [one["properties"][name] for one in choices if name in one.get("properties", {})]
        path = f"{at}.{name}"
        if not known and not any(one.get("additionalProperties") for one in choices):
            found.append(f"{path}: Adyen has no such field")
        # What fits one choice, such as one payment method, is taken.
        found += min((_leaf(value, each, path) for each in known), key=len, default=[])
        (inner,) = resolved(ours, value)
        if inner.get("properties") and known and name != "additionalData":
            found += differences(ours, spec, value, {"oneOf": known}, path)
    return found


def _leaf(our: dict[str, Any], their: dict[str, Any], path: str) -> list[str]:
    found = []
    kinds = our.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if kinds and "type" in their and their["type"] not in kinds:
        found.append(f"{path}: is {their['type']}")
    if "enum" in our and "enum" in their and set(our["enum"]) - set(their["enum"]):
        found.append(f"{path}: takes {their['enum']}")
    if our.get("maxLength", 0) > their.get("maxLength", our.get("maxLength", 0)):
        found.append(f"{path}: takes {their['maxLength']} characters")
    return found


@pytest.mark.parametrize("name", BODIES)
def test_all_that_we_may_send_is_known(theirs: dict[str, Any], name: str) -> None:
    """Every field of ours is one of theirs, and every field that they demand is one of ours."""
    ours = loaded(OURS / "bodies.json")
    content = theirs["paths"][BODIES[name]]["post"]["requestBody"]["content"]
    schema = content["application/json"]["schema"]

    assert [] == differences(ours, theirs, ours["$defs"][name], schema, name)
    (demanded,) = resolved(theirs, schema)
    assert set(demanded["required"]) <= set(ours["$defs"][name]["required"])


@pytest.mark.parametrize("name", ANSWERS)
def test_all_that_we_read_is_told(theirs: dict[str, Any], name: str) -> None:
    """In one of the answers that the schema stands for, with all codes that may come."""
    ours = loaded(OURS / f"{name}.json")
    schemas = [{"$ref": f"#/components/schemas/{each}"} for each in ANSWERS[name]]

    assert [] == differences(ours, theirs, ours, {"oneOf": schemas}, name)
    for each in schemas:
        (answer,) = resolved(theirs, each)
        for field in set(ours["properties"]) & set(answer["properties"]):
            codes = answer["properties"][field].get("enum", [])
            assert set(codes) <= set(ours["properties"][field].get("enum", codes)), field
        assert set(ours["required"]) - set(answer["properties"]) == set()


def test_notices_are_read_as_they_come(contracts: Path) -> None:
    """In some kind of notification each field that we read is told with this type."""
    webhooks = loaded(contracts / FOLDER / "Webhooks-v1.json")
    names = [
        name
        for name in webhooks["components"]["schemas"]
        if name.endswith("NotificationRequestItem")
    ]
    ours = loaded(OURS / "notice.json")
    schemas = {"oneOf": [{"$ref": f"#/components/schemas/{each}"} for each in names]}

    assert [] == differences(ours, webhooks, ours, schemas, "notice")


def test_drift_is_noticed(theirs: dict[str, Any]) -> None:
    """A capture is no payment, and the other way round."""
    ours = loaded(OURS / "bodies.json")
    capture = {"$ref": "#/components/schemas/PaymentCaptureRequest"}

    assert "x.returnUrl: Adyen has no such field" in differences(
        ours, theirs, ours["$defs"]["payment"], capture, "x"
    )
    odd = {"properties": {"amount": {"type": "string"}, "resultCode": {"enum": ["Maybe"]}}}
    answer = {"$ref": "#/components/schemas/PaymentResponse"}
    assert 1 <= len(differences({}, theirs, odd, answer, "x"))
