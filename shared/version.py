"""Which version this is: images hold the code, not an installed distribution that knows."""

from typing import Final

VERSION: Final = "0.1.0"
