"""Redaction as a person reads it."""

from gateway.policy import redaction


def redact_body(content_type: str, body: bytes, readable: frozenset[str]) -> str:
    """What evidence shows of a body, as text."""
    shown = redaction.redact_body(content_type, body, readable)
    return shown if isinstance(shown, str) else shown.decode("utf-8")
