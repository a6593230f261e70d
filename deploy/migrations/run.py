"""Running the migrations without an ``alembic.ini``: the database's address is an argument."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError

from shared.errors import LesionGanError

HERE = Path(__file__).parent


class DatabaseTooNew(LesionGanError):
    title = "Database too new"


def config(database_url: str) -> Config:
    """Alembic's configuration for one database."""
    made = Config()
    made.set_main_option("script_location", str(HERE))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["database_url"] = database_url
    return made


def upgrade(database_url: str) -> None:
    """Bring the schema to the newest revision; processes that do so at once wait for each other.

    Raises :class:`DatabaseTooNew` for a schema that a later version of this code wrote.
    """
    try:
        command.upgrade(config(database_url), "head")
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        raise DatabaseTooNew(
            f"the database is newer than this code, which does not know its revision "
            f"{error.__cause__.argument}: start the version that made it, or restore a backup"
        ) from error
