"""The port ``webhook_challenges``: questions are answered, and nothing else."""

import msgspec
import pytest

from gateway.ports.notification import Answer, Notification
from gateway.ports.webhook_challenges import WebhookChallenges
from tests.conformance.subject import Subject, fulfilling

_SUBJECTS = fulfilling("webhook_challenges")


@pytest.fixture(params=_SUBJECTS, ids=lambda one: one.adapter.product)
def question(request: pytest.FixtureRequest) -> tuple[WebhookChallenges, Notification, bytes]:
    """A port, a question, and the answer that is due."""
    subject: Subject = request.param
    assert subject.asking is not None
    return subject.asking()


def test_the_answer_is_the_one_that_is_due(
    question: tuple[WebhookChallenges, Notification, bytes],
) -> None:
    """As plain text, which no browser takes for a page."""
    port, asked, due = question

    answer = port.answer_challenge(asked)

    assert answer is not None
    assert (200, due) == (answer.status, answer.body)
    assert "text/plain" == dict(answer.headers)["content-type"]


def test_a_delivery_is_no_question(
    question: tuple[WebhookChallenges, Notification, bytes],
) -> None:
    """What is posted goes to the receiver, whatever else it says."""
    port, asked, _ = question

    assert None is port.answer_challenge(msgspec.structs.replace(asked, method="POST"))


@pytest.mark.parametrize("text", ["", "<script>", "a\nb", "x" * 10_000, "é", "a b"])
def test_other_questions_have_no_answer(
    question: tuple[WebhookChallenges, Notification, bytes], text: str
) -> None:
    """Nothing that a stranger writes is given back."""
    port, asked, _ = question
    headers = tuple((name, text) for name, _ in asked.headers)
    path, _, query = asked.target.partition("?")
    strange = f"{path}?{query.partition('=')[0]}={text}"

    answer = port.answer_challenge(msgspec.structs.replace(asked, headers=headers, target=strange))

    assert Answer(status=400) == answer
