"""how much work a job is, and when its attempt first and last told of progress"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("work", sa.Float(), nullable=True))
    op.add_column("jobs", sa.Column("began_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("jobs", sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "reported_at")
    op.drop_column("jobs", "began_at")
    op.drop_column("jobs", "work")
