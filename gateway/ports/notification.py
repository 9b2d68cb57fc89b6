"""A notification: what a provider sends, what it expects, and how far it is believed."""

from enum import StrEnum
from urllib.parse import parse_qsl

import msgspec

from gateway.errors import Rejected
from gateway.model.event import ProviderEvent


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a provider, as it came.

    Attributes:
        method: In upper case.
        target: Path with its query, as received.
        headers: Pairs, names in lower case; a doubled header stands twice.
        body: The bytes as received; decoding and encoding again breaks the signature.
        keys: What the hub fetched because the delivery names a key; see ``WebhookKeys``.
    """

    method: str = "POST"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    keys: bytes = b""

    def header(self, name: str) -> str:
        """The value of the header; empty where there is none.

        Raises:
            Rejected: It stands twice, and two readers could read two things.
        """
        found = [value for key, value in self.headers if key == name]
        if len(found) > 1:
            raise Rejected("A header stands twice.", code="header_doubled")
        return found[0] if found else ""

    def query(self) -> dict[str, str]:
        """The parameters of the target; of a doubled one the first."""
        return fields_of(self.target.partition("?")[2])

    def form(self) -> dict[str, str]:
        """The fields of a body that is a form; of a doubled one the first."""
        return fields_of(self.body.decode("utf-8", "replace"))


def fields_of(text: str) -> dict[str, str]:
    """The fields of a query or a form.

    Raises:
        Rejected: There are too many of them.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise Rejected("The form has too many fields.", code="malformed") from error
    return dict(reversed(pairs))


class Trust(StrEnum):
    """How far a delivery that was let in may be believed."""

    SIGNED = "SIGNED"
    UNSIGNED = "UNSIGNED"  # only a hint: the object is read at the provider before all else


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider wants to hear.

    Attributes:
        headers: Beside those of the server.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider expects of an endpoint.

    Attributes:
        methods: With which it calls.
        kept: The answer to a delivery that is kept, or was before.
        refused: The answer to a wrong signature; None for 401 with a problem document.
        headers: Names of headers that ``read`` looks at; they are kept with the delivery.
    """

    methods: frozenset[str] = frozenset({"POST"})
    kept: Answer = Answer()
    refused: Answer | None = None
    headers: frozenset[str] = frozenset()


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """A document with public keys that a notification names.

    Attributes:
        document: As it came: a certificate, a key set.
        expires_in_s: Seconds for which it need not be fetched again.
    """

    document: bytes = b""
    expires_in_s: float = 0.0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a provider's list: an event, or an object where there are no events.

    Attributes:
        body: What ``Webhooks.read`` reads. Of an event the same as in its webhook; of an object a
            hint, so that it is read at the provider before anything is believed.
        at: When it happened, or the object last changed, as far as the list tells; seconds since
            the epoch by the provider's clock.
        said: What an object says of its payment; None for an event. Who knows all of it already
            has missed nothing.
        stands: In our words the state of an object that is no payment, such as a payout; empty for
            an event. Who has it in that state has missed nothing.
    """

    body: bytes
    at: float = 0.0
    said: ProviderEvent | None = None
    stands: str = ""


class ReportPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list.

    Attributes:
        cursor: Where the next page begins; empty on the last.
    """

    reports: tuple[Report, ...] = ()
    cursor: str = ""
