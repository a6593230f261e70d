"""The whole schema in one place: migrations are made from it."""

from shared.db.tables.classifiers import ClassifierRow, ExperimentRow
from shared.db.tables.datasets import DatasetRow, ShardRow, UploadRow
from shared.db.tables.gans import CheckpointRow, GanRow, MetricRow, PreviewRow
from shared.db.tables.jobs import IdempotencyRow, JobEventRow, JobParentRow, JobRow
from shared.db.tables.keys import KeyRow

__all__ = [
    "CheckpointRow",
    "ClassifierRow",
    "DatasetRow",
    "ExperimentRow",
    "GanRow",
    "IdempotencyRow",
    "JobEventRow",
    "JobParentRow",
    "JobRow",
    "KeyRow",
    "MetricRow",
    "PreviewRow",
    "ShardRow",
    "UploadRow",
]
