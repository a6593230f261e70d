"""``make bench``: benchmarks one after the other. It runs ``augmentation_speed`` after these."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import gan_precision, preprocessing_speed, sampling
from tests.benchmarks.data_plane import __main__ as data_plane
from tests.benchmarks.load import bench

if __name__ == "__main__":
    gan_precision.main()
    sampling.main()
    preprocessing_speed.main()
    with TemporaryDirectory(prefix="data-plane-") as folder:
        data_plane.run(600, Path(folder))
    bench.run(seconds=20, clients=200, held=500)
