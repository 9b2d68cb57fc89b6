"""The answers of the simulated Gateway: entities, errors in SAP's shape and pages of the ICM.

Message numbers are invented, their shape is SAP's.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

FRAMEWORK: Final = "/IWFND/MED/170"
GATEWAY: Final = "/IWBEP/CM_MGW_RT/"


class RefusalError(Exception):
    """An error answer on its way out."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response


def json_answer(
    status: int, content: Any, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """An answer of a service."""
    head = {"content-type": "application/json", "dataserviceversion": "2.0"} | dict(headers or {})
    return httpx.Response(status, headers=head, content=msgspec.json.encode(content))


def error_answer(status: int, code: str, sentence: str) -> httpx.Response:
    """An error with SAP's message container, as V2 services send it."""
    detail = {"code": code, "message": sentence, "severity": "error", "target": ""}
    inner = {
        "application": {"component_id": "SD-SLS", "service_namespace": "/SAP/"},
        "transactionid": "6F1E2D3C4B5A69788796A5B4C3D2E1F0",
        "errordetails": [detail],
    }
    message = {"lang": "en", "value": sentence}
    return json_answer(status, {"error": {"code": code, "message": message, "innererror": inner}})


def page_answer(
    status: int, title: str, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """A page of the ICM, which stands before the services."""
    head = {"content-type": "text/html; charset=utf-8"} | dict(headers or {})
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return httpx.Response(status, headers=head, text=text)


PAGES: Final = {
    401: "Logon failed",
    502: "Bad Gateway",
    503: "Service Unavailable: no dialog work process available",
    504: "Gateway Timeout",
}
WORDS: Final = {
    403: (FRAMEWORK, "No authorization to access service"),
    404: (f"{GATEWAY}020", "Resource not found for segment"),
    409: ("V1/501", "Document already exists"),
    412: (f"{GATEWAY}104", "Precondition failed"),
    423: ("/IWBEP/CX_MGW_BUSI_EXCEPTION", "Document is locked by user MEIER"),
    428: (f"{GATEWAY}000", "Precondition required"),
    429: ("429", "Too many requests"),
    500: ("/IWBEP/CX_MGW_TECH_EXCEPTION", "An exception was raised"),
}
