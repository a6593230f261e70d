"""the request that asked for a job, and its trace"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("request_id", sa.String(), nullable=True))
    op.add_column("jobs", sa.Column("trace", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "trace")
    op.drop_column("jobs", "request_id")
