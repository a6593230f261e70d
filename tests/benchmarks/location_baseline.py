"""What a lesion's place alone says of its category: a baseline without a single pixel.

    python -m tests.benchmarks.location_baseline DL_info_test_split.csv

Logistic regressions on DeepLesion's ``Normalized_lesion_location`` (x, y, z relative to the body),
in five folds by patient over the labelled rows of the table.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from lesiongan.contracts.categories import CATEGORIES
from services.classification.domain.placement import place_model
from services.preprocessing.domain.deeplesion_rows import read_rows

FOLDS = 5


def polynomial(*features: Any) -> Pipeline:
    """A logistic regression on standardised places, and what ``features`` make of them."""
    return make_pipeline(StandardScaler(), *features, LogisticRegression(max_iter=2000))


MODELS: dict[str, Pipeline] = {
    "linear": polynomial(),
    "quadratic": polynomial(PolynomialFeatures(2)),
    "cubic": polynomial(PolynomialFeatures(3)),
    "splines, pairs": place_model(),
}


def predicted(
    model: Pipeline,
    places: NDArray[np.float64],
    labels: NDArray[np.int64],
    patients: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Each row's category, by a model that has seen no row of its patient."""
    said = np.empty_like(labels)
    for train, test in GroupKFold(FOLDS).split(places, labels, patients):
        said[test] = model.fit(places[train], labels[train]).predict(places[test])
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    table = read_rows(parser.parse_args().table.read_bytes())
    rows = [(row, row.category) for row in table.rows if row.category is not None]
    places = np.array([row.location for row, _ in rows])
    labels = np.array([CATEGORIES.index(category) for _, category in rows])
    patients = np.array([row.patient for row, _ in rows])
    print(f"{len(rows)} lesions of {len(np.unique(patients))} patients")
    for name, model in MODELS.items():
        right = predicted(model, places, labels, patients) == labels
        recalls = [right[labels == k].mean() for k in np.unique(labels)]
        print(
            f"{name:15} accuracy {100 * right.mean():.1f} %"
            f"  balanced {100 * float(np.mean(recalls)):.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
