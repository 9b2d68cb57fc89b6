"""Mapping sets: what the mappings of a tenant were made of, and with which a flow began."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table and the column; a flow that is under way takes what its worker has."""
    run = op.get_bind().connection.cursor().execute
    run(Path(__file__).with_name("0003_mapping_set.sql").read_text(encoding="utf-8"))
