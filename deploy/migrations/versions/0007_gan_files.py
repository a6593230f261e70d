"""what a GAN is scored and screened with, and the pairs that a person looks at"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "gan_files",
        sa.Column("gan_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["gan_id"], ["gans.id"], name=op.f("fk_gan_files_gan_id_gans"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("gan_id", "name", name=op.f("pk_gan_files")),
    )


def downgrade() -> None:
    op.drop_table("gan_files")
