"""from where a job's pace is measured: its last report of at most half of the work"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.alter_column("jobs", "began_at", new_column_name="mark_at")
    op.add_column("jobs", sa.Column("mark_done", sa.Integer(), nullable=True))
    # Marks of before stand at the first report, of which the number was not written.
    op.execute("UPDATE jobs SET mark_at = NULL")


def downgrade() -> None:
    op.drop_column("jobs", "mark_done")
    op.alter_column("jobs", "mark_at", new_column_name="began_at")
