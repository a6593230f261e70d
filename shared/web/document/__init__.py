"""The OpenAPI document: what FastAPI reads off the routes, completed by what all of them share."""

from shared.web.document.completion import described, schema_of

__all__ = ["described", "schema_of"]
