"""Payment methods are found by their customer, and by the day on which they end."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add two small indexes over payment methods only."""
    op.get_bind().connection.cursor().execute(
        "create index document_of_customer on headrace.document"
        " (tenant, (body->>'customer_id'), id) where kind = 'payment_method';"
        "create index document_expiring on headrace.document ((body->>'expires'))"
        " where kind = 'payment_method' and state = 'ACTIVE'"
    )
