"""The spine: documents, flows, inbox, outbox, evidence, idempotency, spans; and the flow engine."""

from pathlib import Path

import absurdctl
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Install the engine's own SQL as its package carries it, then our tables."""
    run = op.get_bind().connection.cursor().execute
    run(absurdctl.BUNDLED_SCHEMA_SQL)
    run(Path(__file__).with_name("0001_spine.sql").read_text(encoding="utf-8"))
