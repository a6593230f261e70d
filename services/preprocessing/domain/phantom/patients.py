"""Phantom patients and their studies: what differs from body to body and from scan to scan."""

from dataclasses import dataclass

import numpy as np

from services.preprocessing.domain.phantom.canvas import SIZE_PX
from services.preprocessing.domain.phantom.tissues import (
    PHASE_SHARE,
    PHASES,
    Phase,
    TissueHu,
    draw_tissues,
)

SPACING_MM = (0.6, 0.98)


@dataclass(frozen=True, slots=True)
class Patient:
    """A body. Half axes are of the trunk without its subcutaneous fat."""

    index: int
    gender: str
    age: int
    half_width_mm: float
    half_depth_mm: float
    fat_mm: float
    muscle: float  # relative bulk, 1 = average
    visceral_fat: float  # 0 lean to 1
    lung_hu: float
    seed: int


@dataclass(frozen=True, slots=True)
class Study:
    """One scan of a patient, with the scanner's settings."""

    number: int
    phase: Phase
    age: int
    spacing_mm: float
    thickness_mm: float
    noise_hu: float
    sharpness: float  # 0 soft kernel to 1 sharp kernel
    oral_contrast: bool
    tilt_deg: float
    middle_px: tuple[float, float]
    tissues: TissueHu


def draw_patient(rng: np.random.Generator, index: int) -> Patient:
    gender = "F" if rng.random() < 0.47 else "M"
    female = gender == "F"
    obesity = float(rng.beta(1.8, 3.2))
    return Patient(
        index=index,
        gender=gender,
        age=int(np.clip(rng.normal(58, 14), 18, 88)),
        half_width_mm=float(rng.normal(130 if female else 143, 7) + 16 * obesity),
        half_depth_mm=float(rng.normal(89 if female else 98, 5) + 24 * obesity),
        fat_mm=float((9 if female else 5) + 34 * obesity * rng.uniform(0.6, 1.2)),
        muscle=float(rng.normal(0.92 if female else 1.08, 0.12)),
        visceral_fat=float(np.clip((0.25 if female else 0.4) + 0.6 * obesity, 0, 1)),
        lung_hu=float(rng.normal(-862, 22)),
        seed=int(rng.integers(2**62)),
    )


def draw_study(rng: np.random.Generator, patient: Patient, number: int, noise: float) -> Study:
    """A scan of ``patient``; ``noise`` scales its noise (1 = typical of DeepLesion)."""
    width_mm = 2 * (patient.half_width_mm + patient.fat_mm + 8)
    spacing = float(np.clip(width_mm * rng.uniform(1.06, 1.24) / SIZE_PX, *SPACING_MM))
    thickness = float(rng.choice([1.0, 2.0, 5.0], p=[0.42, 0.08, 0.5]))
    phase = PHASES[int(rng.choice(len(PHASES), p=PHASE_SHARE))]
    girth = (patient.half_width_mm + patient.fat_mm) / 150
    typical_hu = 10.5 if thickness == 5.0 else 15.5
    age = min(patient.age + number - 1, 90)
    return Study(
        number=number,
        phase=phase,
        age=age,
        spacing_mm=round(spacing, 6),
        thickness_mm=thickness,
        noise_hu=float(typical_hu * noise * girth * rng.uniform(0.75, 1.3)),
        sharpness=float(rng.uniform(0, 1)),
        oral_contrast=bool(rng.random() < 0.6),
        tilt_deg=float(rng.normal(0, 2.5)),
        middle_px=(float(rng.normal(255.5, 7)), float(rng.normal(243, 8))),
        tissues=draw_tissues(rng, phase, age, patient.lung_hu),
    )
