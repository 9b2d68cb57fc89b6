"""The simulator says no where Salesforce does."""

import base64
from typing import Any

import httpx
import pytest

from adapters.salesforce.simulator import SalesforceSimulator, long_id

ORIGIN = "https://acme.my.salesforce.com"
ROWS = f"{ORIGIN}/services/data/v67.0/sobjects"
NOW = 1_770_000_000.0
DEAL = {"Name": "N", "StageName": "Prospecting", "CloseDate": "2026-11-21"}


class Client:
    """A client that knows HTTP and a token, and nothing of the adapter."""

    def __init__(self, simulator: SalesforceSimulator, **form: str) -> None:
        self.simulator = simulator
        self.now = NOW
        credentials = {
            "grant_type": "client_credentials",
            "client_id": "headrace",
            "client_secret": "simulated-secret",
            **form,
        }
        url = f"{ORIGIN}/services/oauth2/token"
        self.login = simulator.handle(httpx.Request("POST", url, data=credentials), now=NOW)
        self.token = self.login.json().get("access_token", "")

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request with the token."""
        headers = {"Authorization": f"Bearer {self.token}", **content.pop("headers", {})}
        request = httpx.Request(method, f"{ROWS}/{path}", headers=headers, **content)
        return self.simulator.handle(request, now=self.now)


@pytest.fixture
def client() -> Client:
    return Client(SalesforceSimulator())


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()[0]["errorCode"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "other"}, "invalid_client_id"),
        ({"client_secret": "other"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_earn_no_token(form: dict[str, str], error: str) -> None:
    """Each part of the login is looked at."""
    login = Client(SalesforceSimulator(), **form).login

    assert (400, error) == (login.status_code, login.json()["error"])


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        (b"headrace:simulated-secret", 200),
        (b"headrace:other", 400),
        (b"\xff:x", 400),
    ],
)
def test_credentials_may_stand_in_the_header(credentials: bytes, status: int) -> None:
    """HTTP Basic is read, checked, and never a crash."""
    headers = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
    url = f"{ORIGIN}/services/oauth2/token"
    form = {"grant_type": "client_credentials"}
    request = httpx.Request("POST", url, data=form, headers=headers)

    assert status == SalesforceSimulator().handle(request, now=NOW).status_code


def test_a_token_names_the_address_that_was_asked(client: Client) -> None:
    """So the same simulator can be served on any port."""
    assert ORIGIN == client.login.json()["instance_url"]


def test_no_token_no_answer(client: Client) -> None:
    """A made-up, an expired and a revoked token are all refused, and nothing is written."""
    good = client.token
    client.token = "00D!made-up"
    made_up = client.ask("PATCH", "Account/Headrace_Id__c/C-1", json={"Name": "N"})
    client.token, client.now = good, NOW + 7_200
    expired = client.ask("PATCH", "Account/Headrace_Id__c/C-1", json={"Name": "N"})
    client.now = NOW
    client.simulator.revoke_tokens()
    revoked = client.ask("PATCH", "Account/Headrace_Id__c/C-1", json={"Name": "N"})

    assert [(401, "INVALID_SESSION_ID")] * 3 == [code(made_up), code(expired), code(revoked)]
    assert {"account": {}, "opportunity": {}} == client.simulator.effects()


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("Account/Headrace_Id__c/C-1", {}, (400, "REQUIRED_FIELD_MISSING")),
        ("Account/Headrace_Id__c/C-1", {"Name": ""}, (400, "REQUIRED_FIELD_MISSING")),
        ("Account/Headrace_Id__c/C-1", {"Name": "x" * 256}, (400, "STRING_TOO_LONG")),
        ("Account/Headrace_Id__c/C-1", {"Name": 7}, (400, "JSON_PARSER_ERROR")),
        ("Account/Headrace_Id__c/C-1", {"Name": "N", "Nmae": "N"}, (400, "INVALID_FIELD")),
        ("Account/Headrace_Id__c/C-1", {"Name": "N", "Id": "x"}, (400, "INVALID_FIELD")),
        (
            "Account/Headrace_Id__c/C-1",
            {"Name": "N", "Headrace_Id__c": "C-1"},
            (400, "INVALID_FIELD"),
        ),
        (
            "Account/Headrace_Id__c/C-1",
            {"Name": "N", "BillingCountryCode": "Germany"},
            (400, "FIELD_INTEGRITY_EXCEPTION"),
        ),
        ("Account/Headrace_Id__c/" + "x" * 65, {"Name": "N"}, (400, "STRING_TOO_LONG")),
        ("Account/Headrace_Id__c/a.inc", {"Name": "N"}, (404, "NOT_FOUND")),
        ("Account/Other__c/C-1", {"Name": "N"}, (404, "NOT_FOUND")),
        ("Contact/Headrace_Id__c/C-1", {"Name": "N"}, (404, "NOT_FOUND")),
        ("Opportunity/Headrace_Id__c/O-1", {"Name": "N"}, (400, "REQUIRED_FIELD_MISSING")),
        (
            "Opportunity/Headrace_Id__c/O-1",
            {**DEAL, "CloseDate": "21.11.2026"},
            (400, "JSON_PARSER_ERROR"),
        ),
        ("Opportunity/Headrace_Id__c/O-1", {**DEAL, "Amount": "1.00"}, (400, "JSON_PARSER_ERROR")),
        ("Opportunity/Headrace_Id__c/O-1", {**DEAL, "Amount": True}, (400, "JSON_PARSER_ERROR")),
        (
            "Opportunity/Headrace_Id__c/O-1",
            {**DEAL, "AccountId": "001Hr0000000009AAA"},
            (400, "INVALID_CROSS_REFERENCE_KEY"),
        ),
        (
            "Opportunity/Headrace_Id__c/O-1",
            {**DEAL, "CurrencyIsoCode": "EUR"},
            (400, "INVALID_FIELD"),
        ),
    ],
)
def test_wrong_records_are_refused(
    client: Client, path: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Each rule has its own code, and nothing is kept."""
    response = client.ask("PATCH", path, json=body)

    assert expected == code(response)
    assert {"account": {}, "opportunity": {}} == client.simulator.effects()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, "JSON_PARSER_ERROR"),
        ({"content": b"[]", "headers": {"Content-Type": "application/json"}}, "JSON_PARSER_ERROR"),
        ({"data": {"Name": "N"}}, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_only_json_objects_are_read(client: Client, content: dict[str, Any], expected: str) -> None:
    """Rubbish and forms are refused."""
    assert expected == code(client.ask("PATCH", "Account/Headrace_Id__c/C-1", **content))[1]


@pytest.mark.parametrize(("method", "path"), [("PUT", "Account"), ("DELETE", "Account/x/y")])
def test_other_methods_are_not_allowed(client: Client, method: str, path: str) -> None:
    """What is not simulated says so."""
    assert (405, "METHOD_NOT_ALLOWED") == code(client.ask(method, path))


def test_an_update_keeps_what_it_does_not_name(client: Client) -> None:
    """201 with ``created`` first, 200 afterwards, one record."""
    first = client.ask("PATCH", "Account/Headrace_Id__c/C-1", json={"Name": "N", "Phone": "1"})
    second = client.ask("PATCH", "Account/Headrace_Id__c/C-1", json={"Name": "M"})
    row = client.ask("GET", f"Account/{first.json()['id'][:15]}").json()

    assert (201, True) == (first.status_code, first.json()["created"])
    assert (200, False) == (second.status_code, second.json()["created"])
    assert ("M", "1", None) == (row["Name"], row["Phone"], row["BillingCity"])
    assert {"C-1": 1} == client.simulator.effects()["account"]


def test_a_required_field_cannot_be_cleared(client: Client) -> None:
    """An update is held to the same rules as a new record."""
    client.ask("PATCH", "Account/Headrace_Id__c/C-1", json={"Name": "N"})
    response = client.ask("PATCH", "Account/Headrace_Id__c/C-1", json={"Name": None})

    assert (400, "REQUIRED_FIELD_MISSING") == code(response)


def test_a_unique_field_keeps_a_second_record_out(client: Client) -> None:
    """A plain create with a known external id is refused, and one without is not."""
    body = {"Name": "N", "Headrace_Id__c": "C-1"}
    first, second = (client.ask("POST", "Account", json=body) for _ in range(2))
    other = client.ask("POST", "Account", json={"Name": "N"})

    assert (201, (400, "DUPLICATE_VALUE"), 201) == (
        first.status_code,
        code(second),
        other.status_code,
    )


def test_requests_are_counted_until_the_limit() -> None:
    """Each answer says how many; above the limit it is 403."""
    client = Client(SalesforceSimulator(daily_limit=1))
    first = client.ask("GET", "Account/Headrace_Id__c/C-1")
    second = client.ask("GET", "Account/Headrace_Id__c/C-1")

    assert "api-usage=1/1" == first.headers["Sforce-Limit-Info"]
    assert (403, "REQUEST_LIMIT_EXCEEDED") == code(second)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, (401, "INVALID_SESSION_ID")),
        (403, (403, "REQUEST_LIMIT_EXCEEDED")),
        (409, (400, "UNABLE_TO_LOCK_ROW")),
        (423, (400, "UNABLE_TO_LOCK_ROW")),
        (429, (403, "REQUEST_LIMIT_EXCEEDED")),
        (500, (500, "UNKNOWN_EXCEPTION")),
        (503, (503, "SERVER_UNAVAILABLE")),
    ],
)
def test_refusals_have_their_own_shape(
    client: Client, status: int, expected: tuple[int, str]
) -> None:
    """A fault is told in Salesforce's words."""
    request = httpx.Request("GET", f"{ROWS}/Account/Headrace_Id__c/C-1")

    assert expected == code(client.simulator.refuse(request, status))


def test_the_login_refuses_in_the_words_of_oauth(client: Client) -> None:
    """The token endpoint has one object where the REST API has a list."""
    request = httpx.Request("POST", f"{ORIGIN}/services/oauth2/token")

    assert {"error": "server_error"} == client.simulator.refuse(request, 503).json()


def test_nothing_is_due(client: Client) -> None:
    """Salesforce sends no webhooks to us."""
    assert () == client.simulator.due(now=NOW)


@pytest.mark.parametrize(
    ("short", "expected"),
    [("001D000000K0fXO", "001D000000K0fXOIAZ"), ("0015000000Gv7qJ", "0015000000Gv7qJAAR")],
)
def test_long_ids_carry_the_known_checksum(short: str, expected: str) -> None:
    """The three further characters say which letters are capitals."""
    assert expected == long_id(short)
