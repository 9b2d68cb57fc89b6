"""Evidence names the mapping that a request was made by."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; what was kept before has no mapping."""
    op.get_bind().connection.cursor().execute(
        "alter table headrace.evidence add column mapping text not null default ''"
    )
