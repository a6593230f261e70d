"""classifiers and experiments"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "classifiers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("datasets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("phantom", sa.Boolean(), nullable=False),
        sa.Column("architecture", sa.String(), nullable=False),
        sa.Column("for_experiment", sa.Boolean(), nullable=False),
        sa.Column("categories", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("image_size", sa.Integer(), nullable=True),
        sa.Column("channels", sa.Integer(), nullable=True),
        sa.Column("train_counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("scores", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("weights_key", sa.String(), nullable=True),
        sa.Column("weights_sha256", sa.String(), nullable=True),
        sa.Column("checkpoint_key", sa.String(), nullable=True),
        sa.Column("checkpoint_sha256", sa.String(), nullable=True),
        sa.Column("command", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classifiers")),
    )
    op.create_index(op.f("ix_classifiers_job_id"), "classifiers", ["job_id"], unique=False)
    op.create_index("ix_classifiers_page", "classifiers", ["created_at", "id"], unique=False)
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("phantom", sa.Boolean(), nullable=False),
        sa.Column("seeds", sa.Integer(), nullable=False),
        sa.Column("categories", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("report_key", sa.String(), nullable=True),
        sa.Column("predictions_key", sa.String(), nullable=True),
        sa.Column("command", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    op.create_index(op.f("ix_experiments_dataset_id"), "experiments", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_experiments_job_id"), "experiments", ["job_id"], unique=False)
    op.create_index("ix_experiments_page", "experiments", ["created_at", "id"], unique=False)
    # The default fills the rows that are there, and goes.
    op.add_column(
        "gans", sa.Column("for_experiment", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.alter_column("gans", "for_experiment", server_default=None)
    op.drop_column("uploads", "filename_suffix")


def downgrade() -> None:
    op.add_column(
        "uploads", sa.Column("filename_suffix", sa.String(), server_default="", nullable=False)
    )
    op.alter_column("uploads", "filename_suffix", server_default=None)
    op.drop_column("gans", "for_experiment")
    op.drop_index("ix_experiments_page", table_name="experiments")
    op.drop_index(op.f("ix_experiments_job_id"), table_name="experiments")
    op.drop_index(op.f("ix_experiments_dataset_id"), table_name="experiments")
    op.drop_table("experiments")
    op.drop_index("ix_classifiers_page", table_name="classifiers")
    op.drop_index(op.f("ix_classifiers_job_id"), table_name="classifiers")
    op.drop_table("classifiers")
