"""Numbers for the events of what has no row of its own, such as a payment's refunds."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table; what was told before is counted on from where it stands."""
    run = op.get_bind().connection.cursor().execute
    run(Path(__file__).with_name("0008_event_count.sql").read_text(encoding="utf-8"))
