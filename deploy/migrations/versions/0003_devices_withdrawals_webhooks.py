"""devices, withdrawals, webhooks, usage"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "jobs",
        sa.Column("exclusive", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.alter_column("jobs", "exclusive", server_default=None)
    op.add_column("jobs", sa.Column("device", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "device")
    op.drop_column("jobs", "exclusive")
