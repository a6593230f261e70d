"""What a token's roles allow."""

from collections.abc import Iterable, Mapping
from typing import Any

from lesiongan.contracts.keys import Scope


def scopes_of(
    claims: Mapping[str, Any], claim: str, scope_of_role: Mapping[str, Scope]
) -> frozenset[Scope]:
    """The scopes of the roles that ``claims`` name; roles that are not mapped mean nothing.

    Args:
        claims: a token's, whose signature was found good.
        claim: the claim's name, or a path of names such as ``realm_access.roles`` (Keycloak). Names
            may have dots themselves (``https://lab.example/roles``): the whole comes first.
        scope_of_role: which scope a role has.
    """
    value = claims[claim] if claim in claims else _at(claims, claim.split("."))
    return frozenset(scope_of_role[role] for role in _names(value) if role in scope_of_role)


def _at(value: Any, path: Iterable[str]) -> Any:
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _names(value: Any) -> list[str]:
    """A list of names, or names with spaces between them, as in the claim ``scope``."""
    if isinstance(value, str):
        return value.split()
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
