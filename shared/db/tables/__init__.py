"""The whole schema in one place: migrations are made from it."""

from shared.db.tables.audit import AuditRow
from shared.db.tables.classifiers import ClassifierRow, ExperimentRow
from shared.db.tables.datasets import DatasetRow, ShardRow, UploadRow
from shared.db.tables.gans import CheckpointRow, GanFileRow, GanRow, MetricRow, PreviewRow
from shared.db.tables.jobs import (
    IdempotencyRow,
    JobEventRow,
    JobFollowerRow,
    JobParentRow,
    JobRow,
)
from shared.db.tables.keys import KeyRow
from shared.db.tables.sessions import SessionRow, SignInLinkRow
from shared.db.tables.webhooks import DeliveryRow, WebhookRow
from shared.db.tables.withdrawals import TombstoneRow, WithdrawalRow, WithdrawnPatientRow

__all__ = [
    "AuditRow",
    "CheckpointRow",
    "ClassifierRow",
    "DatasetRow",
    "DeliveryRow",
    "ExperimentRow",
    "GanFileRow",
    "GanRow",
    "IdempotencyRow",
    "JobEventRow",
    "JobFollowerRow",
    "JobParentRow",
    "JobRow",
    "KeyRow",
    "MetricRow",
    "PreviewRow",
    "SessionRow",
    "ShardRow",
    "SignInLinkRow",
    "TombstoneRow",
    "UploadRow",
    "WebhookRow",
    "WithdrawalRow",
    "WithdrawnPatientRow",
]
