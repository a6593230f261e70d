"""Which axial levels there are, how high they lie, and which categories they show."""

from collections.abc import Callable
from dataclasses import dataclass

from lesiongan.contracts.categories import Category
from services.preprocessing.domain.phantom import abdomen, pelvis, thorax
from services.preprocessing.domain.phantom.scene import LevelMeasures, Scene


@dataclass(frozen=True, slots=True)
class Level:
    """An axial level: its painter, and its height (0 head to 1 feet, as in DeepLesion)."""

    name: str
    normalised_z: float
    measures: LevelMeasures
    paint: Callable[[Scene], None]


CARINA = Level("carina", 0.42, thorax.GREAT_VESSELS_LEVEL, thorax.paint_great_vessels_level)
HEART = Level("heart", 0.5, thorax.HEART_LEVEL, thorax.paint_heart_level)
LIVER = Level("liver", 0.59, abdomen.LIVER_LEVEL, abdomen.paint_liver_level)
KIDNEY = Level("kidney", 0.66, abdomen.KIDNEY_LEVEL, abdomen.paint_kidney_level)
LOWER = Level("lower", 0.72, abdomen.LOWER_LEVEL, abdomen.paint_lower_level)
ILIAC = Level("iliac", 0.78, pelvis.ILIAC_LEVEL, pelvis.paint_iliac_level)
HIP = Level("hip", 0.86, pelvis.HIP_LEVEL, pelvis.paint_hip_level)
LEVELS = (CARINA, HEART, LIVER, KIDNEY, LOWER, ILIAC, HIP)

#: The levels at which each category is found, with their shares.
LEVELS_OF: dict[Category, dict[Level, float]] = {
    "bone": {CARINA: 0.2, HEART: 0.15, LIVER: 0.1, KIDNEY: 0.1, LOWER: 0.1, ILIAC: 0.2, HIP: 0.15},
    "abdomen": {LIVER: 0.15, KIDNEY: 0.4, LOWER: 0.45},
    "mediastinum": {CARINA: 0.75, HEART: 0.25},
    "liver": {LIVER: 0.8, KIDNEY: 0.2},
    "lung": {CARINA: 0.5, HEART: 0.5},
    "kidney": {KIDNEY: 1.0},
    "soft_tissue": {CARINA: 0.25, HEART: 0.1, LIVER: 0.1, KIDNEY: 0.1, LOWER: 0.15, ILIAC: 0.15,
                    HIP: 0.15},
    "pelvis": {ILIAC: 0.65, HIP: 0.35},
}  # fmt: skip
