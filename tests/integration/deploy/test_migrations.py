"""The migrations and the tables say the same."""

from alembic import command
from sqlalchemy import Engine

from deploy.migrations.run import config, upgrade
from shared.settings import Settings


def test_no_table_differs_from_its_migration(engine: Engine, settings: Settings) -> None:
    command.check(config(settings.database_url))


def test_upgrading_again_changes_nothing(engine: Engine, settings: Settings) -> None:
    upgrade(settings.database_url)
    command.check(config(settings.database_url))
