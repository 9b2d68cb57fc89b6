"""What the lists of providers brought, and how far each of them was compared with the inbox."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table and the column; whatever came before came by itself."""
    run = op.get_bind().connection.cursor().execute
    run(Path(__file__).with_name("0005_gaps.sql").read_text(encoding="utf-8"))
