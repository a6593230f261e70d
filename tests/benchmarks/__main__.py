"""``make bench``: every benchmark there is, one after the other."""

from tests.benchmarks import gan_precision

if __name__ == "__main__":
    gan_precision.main()
