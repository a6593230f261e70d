"""how many files a data set left out for each reason: it names the first 200 only"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("skipped_for", JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("datasets", "skipped_for")
