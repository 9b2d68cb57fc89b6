"""The ledger of members' money, which sums to zero and is only added to."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables and what guards them."""
    run = op.get_bind().connection.cursor().execute
    run(Path(__file__).with_name("0007_ledger.sql").read_text(encoding="utf-8"))
