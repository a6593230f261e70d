"""``python -m tests.watching``: the embedded stack at work, watched by a real Prometheus."""
