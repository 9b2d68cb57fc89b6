"""The inbox keeps what is not in the body, and tells hints from what was signed."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; what was kept before was signed, posted, and is all in its body."""
    op.get_bind().connection.cursor().execute(
        "alter table headrace.inbox add column envelope text not null default '',"
        " add column hint boolean not null default false"
    )
