"""Health: what a server says of itself."""

from lesiongan.contracts.base import Resource


class Health(Resource):
    """``alive``, ``ready``, or ``degraded``: it serves, but its doorbell is away."""

    status: str
