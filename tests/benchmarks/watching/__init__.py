"""What it costs to be watched: ``python -m tests.benchmarks.watching``."""
