"""``python -m tests.benchmarks.load --seconds 60 --clients 200``."""

import argparse

from tests.benchmarks.load.bench import run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--held", type=int, default=500, help="event streams, and as many waits")
    options = parser.parse_args()
    run(seconds=options.seconds, clients=options.clients, held=options.held)
