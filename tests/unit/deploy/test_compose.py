"""What docker-compose.yml passes on."""

import re
from pathlib import Path

from shared.oidc_settings import OidcSettings

COMPOSE_FILE = Path(__file__).parents[3] / "docker-compose.yml"


def test_an_issuer_can_be_named_in_the_env_file() -> None:
    passed = re.findall(r"^  (\w+): \$\{\1:-", COMPOSE_FILE.read_text(), re.MULTILINE)
    wanted = {f"LESIONGAN_{name.upper()}" for name in OidcSettings.model_fields}
    assert wanted - {"LESIONGAN_ENVIRONMENT"} <= set(passed)
