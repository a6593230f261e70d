"""devices, withdrawals, webhooks, usage"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

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
    op.add_column("shards", sa.Column("records", sa.LargeBinary(), nullable=True))
    op.add_column("classifiers", sa.Column("resumed_from_step", sa.Integer(), nullable=True))
    _create_webhooks()
    _create_withdrawals()
    _create_quotas_and_audit()


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", postgresql.JSONB(), nullable=False),
        sa.Column("kinds", postgresql.JSONB(), nullable=False),
        sa.Column("all_jobs", sa.Boolean(), nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_page", "webhooks", ["created_at", "id"])
    op.create_index(op.f("ix_webhooks_key_id"), "webhooks", ["key_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=True),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("job_end", postgresql.JSONB(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log", postgresql.JSONB(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'delivered', 'failed')",
            name=op.f("ck_webhook_deliveries_status"),
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name=op.f("fk_webhook_deliveries_webhook_id_webhooks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["jobs.id"],
            name=op.f("fk_webhook_deliveries_job_id_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(op.f("ix_webhook_deliveries_job_id"), "webhook_deliveries", ["job_id"])
    op.create_index(
        "ix_webhook_deliveries_page", "webhook_deliveries", ["webhook_id", "created_at", "id"]
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["webhook_id", "next_attempt_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "job_followers",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_followers_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "key_id", name=op.f("pk_job_followers")),
    )


def _create_withdrawals() -> None:
    op.add_column("datasets", sa.Column("patients", postgresql.JSONB(), nullable=True))
    op.create_index("ix_datasets_patients", "datasets", ["patients"], postgresql_using="gin")
    op.create_table(
        "withdrawals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawals")),
    )
    op.create_index("ix_withdrawals_page", "withdrawals", ["created_at", "id"])
    op.create_table(
        "withdrawn_patients",
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("withdrawal_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["withdrawal_id"],
            ["withdrawals.id"],
            name=op.f("fk_withdrawn_patients_withdrawal_id_withdrawals"),
        ),
        sa.PrimaryKeyConstraint("patient", name=op.f("pk_withdrawn_patients")),
    )
    op.create_table(
        "tombstones",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("withdrawal_id", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["withdrawal_id"],
            ["withdrawals.id"],
            name=op.f("fk_tombstones_withdrawal_id_withdrawals"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstones")),
    )
    op.create_index(op.f("ix_tombstones_withdrawal_id"), "tombstones", ["withdrawal_id"])


def _create_quotas_and_audit() -> None:
    for table in ("gans", "classifiers"):
        op.add_column(table, sa.Column("weights_bytes", sa.BigInteger(), nullable=True))
    op.add_column("api_keys", sa.Column("issuer", sa.String(), nullable=True))
    op.add_column("api_keys", sa.Column("previous_sha256", sa.String(), nullable=True))
    op.add_column(
        "api_keys", sa.Column("previous_valid_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_unique_constraint(
        op.f("uq_api_keys_previous_sha256"), "api_keys", ["previous_sha256"]
    )
    op.add_column("api_keys", sa.Column("quota_stored_bytes", sa.BigInteger(), nullable=True))
    op.add_column("api_keys", sa.Column("quota_queued_jobs", sa.Integer(), nullable=True))
    op.add_column("api_keys", sa.Column("quota_device_seconds", sa.Float(), nullable=True))
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_jobs_key", "jobs", ["key_id", "created_at"])
    op.create_index(
        "ix_jobs_key_active", "jobs", ["key_id"], postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_page", "audit", ["created_at", "id"])
    op.create_index("ix_audit_key", "audit", ["key_id", "created_at"])


def downgrade() -> None:
    op.drop_table("audit")
    for index in ("ix_jobs_key_active", "ix_jobs_key"):
        op.drop_index(index, table_name="jobs")
    for column in (
        "last_used_at",
        "quota_device_seconds",
        "quota_queued_jobs",
        "quota_stored_bytes",
        "previous_valid_until",
        "previous_sha256",
        "issuer",
    ):
        op.drop_column("api_keys", column)
    for table in ("gans", "classifiers"):
        op.drop_column(table, "weights_bytes")
    for table in ("tombstones", "withdrawn_patients", "withdrawals"):
        op.drop_table(table)
    op.drop_column("datasets", "patients")
    op.drop_column("classifiers", "resumed_from_step")
    op.drop_column("shards", "records")
    for table in ("job_followers", "webhook_deliveries", "webhooks"):
        op.drop_table(table)
    op.drop_column("jobs", "device")
    op.drop_column("jobs", "exclusive")
