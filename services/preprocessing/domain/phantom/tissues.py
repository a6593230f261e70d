"""Hounsfield units of tissue, by contrast phase.

Typical values of abdominal CT at 120 kV; see for instance Baron, "Understanding and optimizing use
of contrast material for CT of the liver", AJR 163, 1994, for the phases.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Phase = Literal["plain", "arterial", "portal", "delayed"]
PHASES: tuple[Phase, ...] = get_args(Phase)
#: DeepLesion is mostly portal-venous.
PHASE_SHARE = (0.1, 0.18, 0.6, 0.12)

FAT_HU = -104.0
WATER_HU = 6.0
BOWEL_GAS_HU = -940.0


@dataclass(frozen=True, slots=True)
class TissueHu:
    """Mean HU of each tissue in one study."""

    aorta: float
    vein: float
    liver: float
    liver_vessel: float
    spleen: float
    kidney_cortex: float
    kidney_medulla: float
    kidney_pelvis: float
    muscle: float
    bowel_wall: float
    node: float
    lung: float
    trabecular: float
    cortical: float


_ENHANCING = ("aorta", "vein", "liver", "liver_vessel", "spleen", "kidney_cortex", "kidney_medulla",
              "kidney_pelvis", "muscle", "bowel_wall", "node")  # fmt: skip
_MEANS: dict[Phase, tuple[float, ...]] = {
    "plain": (42, 40, 58, 42, 48, 33, 31, 8, 52, 38, 38),
    "arterial": (290, 95, 76, 90, 130, 195, 95, 8, 57, 85, 62),
    "portal": (155, 165, 112, 162, 122, 185, 160, 10, 61, 78, 82),
    "delayed": (112, 115, 95, 112, 104, 150, 145, 420, 60, 65, 76),
}


def draw_tissues(rng: np.random.Generator, phase: Phase, age: int, lung_hu: float) -> TissueHu:
    """The HU of one study: the phase's means, with injection and patient varying about them."""
    means = np.asarray(_MEANS[phase])
    dose = rng.normal(1.0, 0.09)
    plain = np.asarray(_MEANS["plain"])
    values = plain + (means - plain) * dose + rng.normal(0, 3.0, means.size)
    trabecular = float(np.clip(285 - 2.1 * age + rng.normal(0, 22), 70, 280))
    cortical = float(rng.normal(560, 60))
    enhancing = dict(zip(_ENHANCING, values.tolist(), strict=True))
    return TissueHu(**enhancing, lung=lung_hu, trabecular=trabecular, cortical=cortical)
