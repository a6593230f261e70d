"""``make bench``: every benchmark there is, one after the other."""

from tests.benchmarks import gan_precision
from tests.benchmarks.load import bench

if __name__ == "__main__":
    gan_precision.main()
    bench.run(seconds=20, clients=200, held=500)
