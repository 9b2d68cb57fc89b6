"""Mandates are found by their customer, whoever holds them."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add a small index over mandates only."""
    op.get_bind().connection.cursor().execute(
        "create index document_mandate_of_customer on headrace.document"
        " (tenant, (body->>'customer_id'), created_at)"
        " where kind in ('mandate', 'held_mandate')"
    )
