"""What a lesion's place alone says of its category: a baseline without a single pixel.

A classifier of crops that does no better has shown nothing about what a lesion looks like.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer

from services.classification.domain.evaluation import Floats, Integers

#: Knots on each axis.
_KNOTS = 8
_ITERATIONS = 2_000


def place_model() -> Pipeline:
    """A logistic regression on cubic splines of x, y and z and their products of two.

    Scikit-learn's, with its L2 penalty of 1. It did best on DeepLesion's labelled rows from 5 to
    100 a category, and over all of them (``docs/results.md``).
    """
    return make_pipeline(
        SplineTransformer(_KNOTS),
        PolynomialFeatures(2, interaction_only=True),
        LogisticRegression(max_iter=_ITERATIONS),
    )


def predicted_by_place(places: Floats, labels: Integers, wanted: Floats) -> Integers:
    """The category of each of ``wanted`` [M, 3], learnt from ``places`` [N, 3] and ``labels`` [N].

    Places are x, y and z relative to the body, from 0 to 1.
    """
    if len(np.unique(labels)) == 1:
        return np.full(len(wanted), labels[0])
    found: NDArray[np.int64] = place_model().fit(places, labels).predict(wanted)
    return found
