"""``make env``: random secrets, and nothing that is there is lost."""

import re
from pathlib import Path

from deploy.env import SECRETS, complete, write

COMPOSE_FILE = Path(__file__).parents[3] / "docker-compose.yml"


def values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line[1:])


def test_every_secret_that_compose_wants_is_made() -> None:
    files = (COMPOSE_FILE, COMPOSE_FILE.parent / "deploy" / "compose.monitoring.yml")
    wanted = {name for file in files for name in re.findall(r"\$\{(\w+):\?", file.read_text())}
    assert wanted == set(SECRETS)
    made = complete("")
    assert wanted <= set(values(made))
    assert made != complete("")


def test_what_is_there_stays_and_what_is_empty_is_filled() -> None:
    text = "# mine\nLESIONGAN_PORT=9000\nLESIONGAN_SECRET=keep\nLESIONGAN_S3_ACCESS_KEY=\n"
    done = complete(text)
    assert done.startswith("# mine\nLESIONGAN_PORT=9000\nLESIONGAN_SECRET=keep\n")
    assert len(values(done)["LESIONGAN_S3_ACCESS_KEY"]) == 20
    assert done.count("LESIONGAN_S3_ACCESS_KEY=") == 1
    assert complete(done) == done


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    assert not write(path)
    assert path.read_text() == before
