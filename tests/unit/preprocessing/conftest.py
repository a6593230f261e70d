"""Property-based tests here may be slow for once on a busy machine: no deadline for an example."""

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
