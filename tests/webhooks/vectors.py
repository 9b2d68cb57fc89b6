"""Webhook vectors: what a vendor's own client said about a delivery, and what our receiver says.

A file names its ``provider`` and holds ``cases``. A case is a delivery: ``method``, ``path``,
``headers`` (or ``header_list``), ``body`` (or ``form``), with the ``secrets`` of the endpoint and
whatever else belongs to its settings; or a ``challenge`` with the ``response`` that is due. Where
a delivery names a key, ``cert_pem`` or ``public_key_pem`` is what the vendor serves. ``expect`` is
``valid``, ``invalid``, or ``unsigned`` or ``fetch`` for a hint that has to be read back; where time
matters there are ``now`` and ``tolerance_s``, in the case or in the head of the file.

Each case gets a system of its own. Which adapter, and which of its schemes, is found by the words
of ``provider``; a file about several is told apart by the words of each case's ``id`` or ``path``.
"""

import base64
import importlib
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args
from urllib.parse import urlencode

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.errors import HeadraceError, Rejected
from gateway.kit.adapter import Adapter
from gateway.kit.blocking import run as hold
from gateway.ports.notification import Notification, Trust
from gateway.runtime.keyring import require_vendor
from tests.architecture.source import adapter_folders

_EXPECTED: Final = {"valid": "valid", "invalid": "invalid", "unsigned": "hint", "fetch": "hint"}
_VERDICTS: Final = {Trust.SIGNED: "valid", Trust.UNSIGNED: "hint"}
# A genuine delivery with contents that we do not know is still genuine.
_GENUINE: Final = {"event_unexpected", "status_unknown", "unreadable"}
_ALSO: Final = {"worldline": ("payone", "")}
# Name in the file to setting of the system.
_SETTINGS: Final = {
    "tolerance_s": "tolerance_s",
    "webhook_id": "webhook_id",
    "public_key": "public_key",
    "trusted_root_pem": "trusted_roots",
    "intermediate_pem": "intermediates",
}


class NotOfThisForm(Exception):  # noqa: N818 - a finding about a file, not an error of the hub
    """The file or the case is not of the form described above."""


def run(content: Any) -> Iterator[tuple[str, str]]:
    """Each case by name with its complaint; empty when it passed."""
    cases = content.get("cases") if isinstance(content, dict) else None
    if not isinstance(cases, list) or not cases:
        raise NotOfThisForm("has no list of cases, so it is not a webhook vector file")
    for number, case in enumerate(cases):
        name = str(case.get("id", number)) if isinstance(case, dict) else str(number)
        try:
            yield name, judge(case, content)
        except (NotOfThisForm, TypeError, ValueError) as reason:
            yield name, f"form not known: {reason}"


def judge(case: Any, head: Mapping[str, Any]) -> str:
    """The complaint about one case; empty when the receiver's verdict is the expected one."""
    if not isinstance(case, dict) or case.get("expect") not in _EXPECTED:
        raise NotOfThisForm("a case needs an object with a known expect")
    expected = _EXPECTED[case["expect"]]
    adapter, scheme = adapter_of(case, head)
    settings = settings_for(adapter.settings, scheme, case, head)
    notification = notification_of(case)
    if "challenge" in case:
        verdict, reason = answered(adapter, settings, notification, case)
    else:
        now = float(case.get("now", head.get("now", time.time())))
        verdict, reason = received(adapter, settings, notification, case, now)
    return "" if verdict == expected else f"expected {case['expect']}, got {verdict} ({reason})"


def received(
    adapter: Adapter, settings: Any, notification: Notification, case: dict[str, Any], now: float
) -> tuple[str, str]:
    """What the receiver makes of a delivery, in its own order: keys, signature, contents."""
    port = adapter.port("webhooks", settings)
    try:
        if notification.method not in port.terms.methods:
            return "invalid", "method"
        if "webhook_keys" in adapter.ports:
            notification = with_keys(adapter.port("webhook_keys", settings), notification, case)
        verdict = _VERDICTS[port.verify(notification, now=now)]
    except HeadraceError as error:
        return "invalid", error.code
    try:
        port.read(notification)
    except Rejected as error:
        return (verdict if error.code in _GENUINE else "invalid"), error.code
    return verdict, "accepted"


def with_keys(port: Any, notification: Notification, case: dict[str, Any]) -> Notification:
    """The delivery with the keys that it names, served from the case."""

    def serve(request: httpx.Request) -> httpx.Response:
        require_vendor(request.url, port.origins)
        document = served_by(case)
        return httpx.Response(200 if document else 404, content=document, request=request)

    keys = hold(port.fetch_keys(notification), serve)
    return msgspec.structs.replace(notification, keys=keys.document)


def served_by(case: dict[str, Any]) -> bytes:
    """A certificate as it is, or a public key as a key set; empty for none."""
    if "cert_pem" in case:
        return str(case["cert_pem"]).encode()
    if "public_key_pem" not in case:
        return b""
    key = load_pem_public_key(str(case["public_key_pem"]).encode())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotOfThisForm("the public key is not on a curve")
    size = (key.key_size + 7) // 8
    numbers = key.public_numbers()
    x, y = (
        base64.urlsafe_b64encode(one.to_bytes(size)).rstrip(b"=").decode()
        for one in (numbers.x, numbers.y)
    )
    jwk = {"kid": case.get("kid", ""), "kty": "EC", "crv": f"P-{key.key_size}", "x": x, "y": y}
    return msgspec.json.encode({"keys": [jwk]})


def answered(
    adapter: Adapter, settings: Any, notification: Notification, case: dict[str, Any]
) -> tuple[str, str]:
    """Whether a question about the endpoint gets the answer that is due."""
    if "webhook_challenges" not in adapter.ports:
        raise NotOfThisForm(f"{adapter.title} asks no questions")
    try:
        answer = adapter.port("webhook_challenges", settings).answer_challenge(notification)
    except HeadraceError as error:
        return "invalid", error.code
    right = answer is not None and answer.body == str(case.get("response")).encode()
    return ("valid" if right else "invalid"), "answered"


def adapter_of(case: dict[str, Any], head: Mapping[str, Any]) -> tuple[Adapter, str]:
    """The adapter that the case is about, and its scheme where it has several.

    Raises:
        NotOfThisForm: We have none.
    """
    provider = case.get("provider", head.get("provider"))
    named = named_in(str(provider))
    if len(set(named)) > 1:
        words = f"{case.get('id', '')} {str(case.get('path', '')).partition('?')[0]}"
        named = [one for one in named_in(words) if one in named][:1]
    if not named:
        raise NotOfThisForm(f"no adapter for provider {provider!r}")
    product, scheme = named[0]
    return importlib.import_module(f"adapters.{product}").ADAPTER, scheme


def named_in(text: str) -> list[tuple[str, str]]:
    """The adapters and schemes whose names stand in a text, as whole words, in its order."""
    plain = "-" + re.sub(r"[^a-z0-9]+", "-", text.lower()) + "-"
    places = [(plain.find(f"-{word.replace('_', '-')}-"), word) for word in _known()]
    return [_known()[word] for place, word in sorted(places) if place >= 0]


def _known() -> dict[str, tuple[str, str]]:
    """Word to adapter and scheme."""
    known = dict(_ALSO)
    for folder in adapter_folders():
        adapter = importlib.import_module(f"adapters.{folder.name}").ADAPTER
        if "webhooks" not in adapter.ports:
            continue
        scheme = adapter.settings.__annotations__.get("scheme")
        schemes = get_args(scheme) if scheme else ()
        known |= {name: (folder.name, name) for name in schemes} or {folder.name: (folder.name, "")}
    return known


def settings_for(
    kind: type[Any], scheme: str, case: dict[str, Any], head: Mapping[str, Any]
) -> Any:
    """Settings of a system as the case has it; what else is required is filled in."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {name: "unused" for name, f in fields.items() if f.required}
    given = {**head, **case}
    values |= {to: given[name] for name, to in _SETTINGS.items() if given.get(name) is not None}
    secrets = secrets_of(given)
    if secrets:
        values["webhook_secrets"] = secrets
    if "key_id" in given:
        values["webhook_key_ids"] = (given["key_id"],) * len(secrets)
    if scheme:
        values["scheme"] = scheme
    if "tolerance_s" not in fields:  # a scheme without a time
        values.pop("tolerance_s", None)
    if unknown := sorted(set(values) - set(fields)):
        raise NotOfThisForm(f"the adapter has no setting {', '.join(unknown)}")
    return msgspec.convert(values, kind)


def notification_of(case: dict[str, Any]) -> Notification:
    """The request as the case describes it."""
    headers, path = headers_of(case), case.get("path", "/webhooks/tenant/system")
    if "challenge" in case:
        question = urlencode({"bt_challenge": case["challenge"]})
        headers = (*headers, ("x-gcs-webhooks-endpoint-verification", str(case["challenge"])))
        return Notification(method="GET", target=f"{path}?{question}", headers=headers)
    method = case.get("method", "POST")
    if not isinstance(method, str) or not isinstance(path, str):
        raise NotOfThisForm("method or path is not a text")
    return Notification(method=method, target=path, headers=headers, body=body_of(case))


def headers_of(case: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Pairs with names in lower case; a doubled header stays doubled."""
    pairs = case.get("header_list")
    if pairs is None:
        named = case.get("headers", {})
        if not isinstance(named, dict):
            raise NotOfThisForm("headers is not an object")
        pairs = named.items()
    found = [(name, value) for name, value in pairs]
    if not all(isinstance(one, str) for pair in found for one in pair):
        raise NotOfThisForm("a header is not a text")
    return tuple((name.lower(), value) for name, value in found)


def body_of(case: dict[str, Any]) -> bytes:
    """The bytes as they are, or those of a form."""
    form, body = case.get("form"), case.get("body")
    if isinstance(form, dict):
        return urlencode(form).encode()
    if not isinstance(body, str):
        raise NotOfThisForm("there is no body")
    return body.encode("utf-8")


def secrets_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """All secrets of the endpoint."""
    secrets = given.get("secrets", [])
    if not isinstance(secrets, list) or not all(isinstance(s, str) for s in secrets):
        raise NotOfThisForm("secrets is not a list of texts")
    return tuple(secrets)
