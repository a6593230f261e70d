"""Bearer tokens of an OIDC issuer, where an installation trusts one."""

from shared.web.oidc.tokens import Bearer, Tokens

__all__ = ["Bearer", "Tokens"]
