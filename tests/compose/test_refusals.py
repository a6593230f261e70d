"""What cannot work says so in one line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.env import SECRETS
from tests.compose.conftest import new_stack
from tests.compose.stack import COMPOSE_FILE, ComposeStack, docker, inspect

MONITORING_FILE = "deploy/compose.monitoring.yml"
MIGRATION = '''"""One more."""
from alembic import op
import sqlalchemy as sa
revision = "9999"
down_revision = "{head}"
def upgrade() -> None:
    op.create_table("one_more", sa.Column("id", sa.Integer, primary_key=True))
def downgrade() -> None:
    op.drop_table("one_more")
'''


@pytest.fixture
def fresh(images: str, tmp_path: Path) -> Iterator[ComposeStack]:
    """A stack that does not run yet."""
    made = new_stack("lesiongan-refused", tmp_path)
    try:
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5", check=False)


def prepare(stack: ComposeStack, *options: str) -> tuple[int, list[str]]:
    """How preparing ended, and what it said."""
    done = stack.compose("run", "--rm", "-T", *options, "prepare", check=False)
    lines = done.stderr.decode().splitlines()
    return done.returncode, [line for line in lines if line.startswith("prepare:")]


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_is_named(tmp_path: Path, name: str) -> None:
    stack = new_stack("lesiongan-refused", tmp_path)
    stack.files.append(MONITORING_FILE)
    del stack.environment[name]
    done = stack.compose("up", "--detach", check=False)
    assert done.returncode != 0
    said = done.stderr.decode().strip().splitlines()
    assert len(said) == 1
    assert name in said[0]
    assert "make env" in said[0]


def test_a_default_secret_is_refused(fresh: ComposeStack) -> None:
    fresh.environment["LESIONGAN_SECRET"] = "change-me"
    code, said = prepare(fresh)
    assert (code, len(said)) == (1, 1)
    assert "LESIONGAN_SECRET" in said[0]


@pytest.mark.parametrize("endpoint", ["nowhere:9000", "redis:6379", "http://minio:9000"])
def test_a_wrong_s3_endpoint_is_one_line(fresh: ComposeStack, endpoint: str) -> None:
    fresh.environment["LESIONGAN_S3_ENDPOINT"] = endpoint
    code, said = prepare(fresh)
    assert (code, len(said)) == (1, 1), said
    assert endpoint in said[0]


def test_a_wrong_password_is_one_line(fresh: ComposeStack) -> None:
    fresh.up("postgres")
    fresh.environment["LESIONGAN_POSTGRES_PASSWORD"] = "another-one-than-the-volume-has"
    code, said = prepare(fresh)
    assert (code, len(said)) == (1, 1)
    assert "password authentication failed" in said[0]


def test_an_upgrade_migrates_and_the_old_code_refuses(fresh: ComposeStack, tmp_path: Path) -> None:
    assert prepare(fresh) == (0, [])
    head = fresh.sql("SELECT version_num FROM alembic_version")
    file = tmp_path / "9999_one_more.py"
    file.write_text(MIGRATION.format(head=head))
    newer = f"--volume={file}:/app/deploy/migrations/versions/{file.name}:ro"
    assert prepare(fresh, newer) == (0, [])
    assert fresh.sql("SELECT count(*) FROM one_more") == "0"
    code, said = prepare(fresh)
    assert (code, len(said)) == (1, 1)
    assert "newer than this code" in said[0]
    assert "9999" in said[0]


def test_a_failed_preparation_stops_the_start(fresh: ComposeStack) -> None:
    fresh.environment["LESIONGAN_S3_ENDPOINT"] = "nowhere:9000"
    done = fresh.compose("up", "--detach", "--wait", "gateway", check=False)
    assert done.returncode != 0
    assert 'service "prepare" didn\'t complete successfully' in done.stderr.decode()
    assert "nowhere:9000" in fresh.compose("logs", "prepare").stdout.decode()
    assert inspect(f"{fresh.project}-gateway-1", "{{.State.Status}}") == "created"


def test_the_gpu_override_without_a_gpu_is_one_line(fresh: ComposeStack) -> None:
    if "nvidia" in docker("info"):
        pytest.skip("this machine has a GPU")
    fresh.files = [COMPOSE_FILE, "deploy/compose.gpu.yml"]
    done = fresh.compose("up", "--detach", "--no-deps", "worker-gan-train", check=False)
    assert done.returncode != 0
    assert "could not select device driver" in done.stderr.decode().splitlines()[-1]
