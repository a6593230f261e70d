"""Running the migrations without an ``alembic.ini``: the database's address is an argument."""

from pathlib import Path

from alembic import command
from alembic.config import Config

HERE = Path(__file__).parent


def config(database_url: str) -> Config:
    """Alembic's configuration for one database."""
    made = Config()
    made.set_main_option("script_location", str(HERE))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["database_url"] = database_url
    return made


def upgrade(database_url: str) -> None:
    """Bring the schema to the newest revision; processes that do so at once wait for each other."""
    command.upgrade(config(database_url), "head")
