"""Claims to scopes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesiongan.contracts.keys import Scope
from shared.web.oidc.roles import scopes_of

ROLES: dict[str, Scope] = {"boss": "admin", "worker": "submit", "guest": "read"}
URL = "https://lab.example/roles"


@pytest.mark.parametrize(
    ("claims", "claim", "expected"),
    [
        ({"roles": ["boss"]}, "roles", {"admin"}),
        ({"roles": ["guest", "worker", "else"]}, "roles", {"read", "submit"}),
        ({"roles": ["else"]}, "roles", set()),
        ({"roles": ["Boss", "boss "]}, "roles", set()),
        ({"roles": []}, "roles", set()),
        ({}, "roles", set()),
        ({"roles": None}, "roles", set()),
        ({"roles": {"boss": True}}, "roles", set()),
        ({"roles": [["boss"], 1, None, {"a": "boss"}]}, "roles", set()),
        ({"scope": "openid worker"}, "scope", {"submit"}),
        ({"realm_access": {"roles": ["boss"]}}, "realm_access.roles", {"admin"}),
        ({"resource_access": {"a": {"roles": ["boss"]}}}, "resource_access.a.roles", {"admin"}),
        ({"realm_access": ["boss"]}, "realm_access.roles", set()),
        ({"realm_access": "boss"}, "realm_access.roles", set()),
        ({URL: ["boss"]}, URL, {"admin"}),
        ({"a.b": ["guest"], "a": {"b": ["boss"]}}, "a.b", {"read"}),
    ],
)
def test_mapped_roles_have_scopes(claims: dict[str, Any], claim: str, expected: set[str]) -> None:
    assert scopes_of(claims, claim, ROLES) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(claims=st.dictionaries(st.sampled_from(["roles", "a", "b"]), JSON), path=st.text(min_size=1))
def test_no_claims_break_it_or_give_what_no_role_has(claims: dict[str, Any], path: str) -> None:
    for claim in ("roles", "a.b", path):
        assert scopes_of(claims, claim, {"role-of-nobody": "admin"}) == frozenset()
