"""What an operator types to connect one Salesforce org."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_Field = Annotated[str, Meta(pattern=r"^[A-Za-z]\w{0,79}$")]
_Stage = Annotated[str, Meta(min_length=1, max_length=40)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Salesforce org, reached as one integration user.

    Attributes:
        login_url: My Domain of the org, such as ``https://acme.my.salesforce.com``; the flow
            does not work with ``login.salesforce.com``.
        client_id: Consumer key of the external client app.
        client_secret: Consumer secret of the same app.
        api_version: Version in every path, such as ``v67.0``.
        external_id_field: Custom text field on Account and Opportunity that holds our id: marked
            as external id, unique and case sensitive, at least 64 characters.
        vat_id_field: Field of Account for the VAT id, such as ``VAT_ID__c``; empty sends none.
        country_field: ``BillingCountryCode`` where the org uses state and country picklists.
        multi_currency: Whether the org has the currency field ``CurrencyIsoCode``.
        currency: The org's only currency where multi_currency is off, such as ``EUR``; the amount
            of an order in another currency is then left empty, not written as if it were this.
        stage_open: Stage of an opportunity whose order is submitted or under review.
        stage_won: Stage from acceptance on.
        stage_lost: Stage of a rejected or cancelled order.
        token_lifetime_s: Seconds until a new token is fetched. The answer does not say it; 900 is
            the shortest session time-out that an org can be set to.
    """

    login_url: Annotated[str, Meta(pattern=r"^https?://[^/?#\s@]+$")]
    client_id: Annotated[str, Meta(min_length=1, max_length=255)]
    client_secret: Annotated[str, Meta(min_length=1, max_length=255)]
    api_version: Annotated[str, Meta(pattern=r"^v\d{2,3}\.0$")] = "v67.0"
    external_id_field: _Field = "Headrace_Id__c"
    vat_id_field: _Field | Literal[""] = ""
    country_field: Literal["BillingCountryCode", "BillingCountry"] = "BillingCountryCode"
    multi_currency: bool = False
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"
    stage_open: _Stage = "Prospecting"
    stage_won: _Stage = "Closed Won"
    stage_lost: _Stage = "Closed Lost"
    token_lifetime_s: Annotated[float, Meta(gt=0, le=86_400)] = 900.0

    def __repr__(self) -> str:
        """Without the secret, because settings end up in logs and tracebacks."""
        return f"Settings(login_url={self.login_url!r}, client_id={self.client_id!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which msgspec would hand every field."""
        return [("login_url", self.login_url), ("client_id", self.client_id)]
