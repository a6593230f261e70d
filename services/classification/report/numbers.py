"""How figures are written: percent with one decimal, and real minus signs."""

import re
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"


def percent(share: float) -> str:
    """``0.772`` as ``77.2``."""
    return f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, always signed: ``0.05`` as ``+5.0``."""
    rounded = round(100 * difference, 1)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):.1f}"


def p_value(p: float) -> str:
    """``p = 0.012``, or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def thousands(count: int) -> str:
    return f"{count:,}"


def real_minus(text: str) -> str:
    """A sentence whose negative numbers have a minus sign in place of a hyphen."""
    return re.sub(r"(?<![\w.])-(?=\d)", MINUS, text)
