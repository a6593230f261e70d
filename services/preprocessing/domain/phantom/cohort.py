"""Who is in the data set: patients with studies and lesions, split by patient."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category, Split
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.levels import LEVELS_OF
from services.preprocessing.domain.phantom.patients import Patient, Study, draw_patient, draw_study
from services.preprocessing.domain.phantom.slices import SlicePlan
from services.preprocessing.domain.phantom.windows import draw_window
from shared.errors import BadInput

#: The paper's 23205 / 5775 / 3020.
DEFAULT_SHARES: Mapping[Split, float] = {"train": 0.725, "val": 0.18, "test": 0.095}

_SCAN_LENGTH_MM = 620.0
_MOST_LESIONS_OF_PATIENT = 5


@dataclass(frozen=True, slots=True)
class PatientPlan:
    patient: Patient
    split: Split
    slices: tuple[SlicePlan, ...]


def lesions_by_split(
    lesions_per_category: int, shares: Mapping[Split, float] = DEFAULT_SHARES
) -> dict[Split, int]:
    """How many lesions of each category each split gets: at least one, all of them in sum.

    Raises BadInput where there are too few to go round.
    """
    if lesions_per_category < len(SPLITS):
        raise BadInput(
            f"lesions_per_category must be at least {len(SPLITS)}, one for each split,"
            f" not {lesions_per_category}."
        )
    if set(shares) != set(SPLITS) or min(shares.values()) <= 0:
        raise BadInput("The shares must name train, val and test, each above 0.")
    total = sum(shares.values())
    held_out = {
        split: max(1, round(lesions_per_category * shares[split] / total))
        for split in ("val", "test")
    }
    while sum(held_out.values()) >= lesions_per_category:
        held_out[max(held_out, key=lambda split: held_out[split])] -= 1
    train = lesions_per_category - sum(held_out.values())
    return {"train": train, "val": held_out["val"], "test": held_out["test"]}


def draw_cohort(
    seed: int,
    lesions_per_category: int,
    difficulty: Difficulty,
    shares: Mapping[Split, float] = DEFAULT_SHARES,
) -> list[PatientPlan]:
    """Every patient of the data set, in order of their index; the splits are shuffled over them."""
    rng = np.random.default_rng([seed, 0])
    groups: list[tuple[Split, Counter[Category]]] = []
    for split, count in lesions_by_split(lesions_per_category, shares).items():
        groups += [(split, lesions) for lesions in _lesions_of_patients(rng, count)]
    order = rng.permutation(len(groups))
    plans = []
    for index, at in enumerate(order, start=1):
        split, lesions = groups[int(at)]
        plans.append(_plan_patient(seed, index, split, lesions, difficulty))
    return plans


def _lesions_of_patients(rng: np.random.Generator, count: int) -> list[Counter[Category]]:
    """Deal ``count`` lesions of each category to patients, who mostly have one disease."""
    left: Counter[Category] = Counter(dict.fromkeys(CATEGORIES, count))
    patients = []
    while left.total():
        number = min(int(rng.geometric(0.5)), _MOST_LESIONS_OF_PATIENT, left.total())
        main = _draw_category(rng, left)
        lesions: Counter[Category] = Counter()
        for _ in range(number):
            same = left[main] and rng.random() < 0.65
            category = main if same else _draw_category(rng, left)
            left[category] -= 1
            lesions[category] += 1
        patients.append(lesions)
    return patients


def _draw_category(rng: np.random.Generator, left: Counter[Category]) -> Category:
    weights = np.array([left[category] for category in CATEGORIES], dtype=np.float64)
    return CATEGORIES[int(rng.choice(len(CATEGORIES), p=weights / weights.sum()))]


def _plan_patient(
    seed: int, index: int, split: Split, lesions: Counter[Category], difficulty: Difficulty
) -> PatientPlan:
    rng = np.random.default_rng([seed, 1, index])
    patient = draw_patient(rng, index)
    studies = [
        draw_study(rng, patient, number, difficulty.noise)
        for number in range(1, 1 + int(rng.integers(1, 1 + min(3, lesions.total()))))
    ]
    slices: list[SlicePlan] = []
    taken: set[tuple[int, int]] = set()
    for category in sorted(lesions, key=CATEGORIES.index):
        left = lesions[category]
        while left:
            together = 2 if left > 1 and rng.random() < 0.12 else 1
            study = studies[int(rng.integers(len(studies)))]
            plan = _plan_slice(rng, patient, study, category, together, difficulty, taken)
            taken.add((study.number, plan.key_slice))
            slices.append(plan)
            left -= together
    slices.sort(key=lambda plan: (plan.study.number, plan.key_slice))
    return PatientPlan(patient, split, tuple(slices))


def _plan_slice(
    rng: np.random.Generator,
    patient: Patient,
    study: Study,
    category: Category,
    lesions: int,
    difficulty: Difficulty,
    taken: set[tuple[int, int]],
) -> SlicePlan:
    shares = LEVELS_OF[category]
    level = list(shares)[int(rng.choice(len(shares), p=list(shares.values())))]
    normalised_z = level.normalised_z + float(rng.normal(0, 0.012))
    key_slice = round(normalised_z * _SCAN_LENGTH_MM / study.thickness_mm)
    while (study.number, key_slice) in taken:
        key_slice += 1
    return SlicePlan(
        patient=patient,
        study=study,
        level=level,
        category=category,
        lesions=lesions,
        key_slice=key_slice,
        normalised_z=normalised_z,
        window_hu=draw_window(rng, category, difficulty),
        seed=int(rng.integers(2**62)),
    )
