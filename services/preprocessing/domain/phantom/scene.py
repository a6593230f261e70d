"""One axial level of one patient: the canvas, the body's measures, and where lesions may grow."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import Category
from services.preprocessing.domain.phantom.canvas import Canvas, Mask
from services.preprocessing.domain.phantom.contours import (
    Contour,
    Point,
    bumps,
    grown,
    trunk_outline,
)
from services.preprocessing.domain.phantom.patients import Patient, Study
from services.preprocessing.domain.phantom.tissues import TissueHu


@dataclass(frozen=True, slots=True)
class Site:
    """A place where a lesion may grow: its centre, the room there, and what surrounds it."""

    centre: Point
    room_mm: float
    angle_deg: float = 0.0
    background_hu: float = 0.0
    inside: Mask | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    """The outlines ``[360, 2]`` of a level, and where its spine is (mm)."""

    muscle: Contour
    skin: Contour
    cavity: Contour
    wall_mm: float
    vertebra_y_mm: float
    cavity_half_width_mm: float
    cavity_anterior_mm: float
    cavity_posterior_mm: float

    def at(self, u: float, v: float) -> Point:
        """The point (mm) at cavity coordinates -1 to 1: u right to left, v front to back."""
        return (u * self.cavity_half_width_mm, v * self._depth(v))

    def shape(self, *uv: Point) -> Contour:
        return np.asarray([self.at(u, v) for u, v in uv])

    def _depth(self, v: float) -> float:
        return self.cavity_posterior_mm if v > 0 else self.cavity_anterior_mm


@dataclass(slots=True)
class Scene:
    """What the painters of a level share, and the sites they leave behind for lesions."""

    canvas: Canvas
    rng: np.random.Generator
    patient: Patient
    study: Study
    trunk: Trunk
    category: Category  # of the lesions to come: their organ must be in the slice
    sites: dict[str, list[Site]] = field(default_factory=dict)

    @property
    def hu(self) -> TissueHu:
        return self.study.tissues

    def offer(self, kind: str, site: Site) -> None:
        self.sites.setdefault(kind, []).append(site)

    def near(self, point: Point, by_mm: float) -> Point:
        """``point`` moved by a normal deviate of ``by_mm``."""
        dx, dy = self.rng.normal(0, by_mm, 2)
        return (point[0] + float(dx), point[1] + float(dy))


@dataclass(frozen=True, slots=True)
class LevelMeasures:
    """How a level's trunk differs from the patient's average, in relative terms or mm."""

    width: float
    depth: float
    wall_mm: float
    posterior_wall_mm: float
    spine_from_back_mm: float
    squareness: float = 2.3
    fat: float = 1.0
    breasts: bool = False


def draw_trunk(rng: np.random.Generator, patient: Patient, level: LevelMeasures) -> Trunk:
    """The outlines of one level of ``patient``."""
    half_width = patient.half_width_mm * level.width
    half_depth = patient.half_depth_mm * level.depth
    squareness = level.squareness + float(rng.normal(0, 0.08))
    muscle = trunk_outline(half_width, half_depth, half_depth, squareness)
    muscle = grown(muscle, bumps([90.0], [-float(rng.uniform(3, 8))], 9))
    muscle = grown(muscle, bumps(list(rng.uniform(0, 360, 6)), list(rng.normal(0, 2.5, 6)), 26))
    wall = level.wall_mm * (0.8 + 0.2 * patient.muscle)
    cavity_posterior = half_depth - level.posterior_wall_mm
    return Trunk(
        muscle=muscle,
        skin=grown(muscle, _fat_layer(rng, patient, level)),
        cavity=trunk_outline(half_width - wall, half_depth - wall, cavity_posterior, squareness),
        wall_mm=wall,
        vertebra_y_mm=half_depth - level.spine_from_back_mm,
        cavity_half_width_mm=half_width - wall,
        cavity_anterior_mm=half_depth - wall,
        cavity_posterior_mm=cavity_posterior,
    )


def _fat_layer(
    rng: np.random.Generator, patient: Patient, level: LevelMeasures
) -> NDArray[np.float64]:
    fat = patient.fat_mm * level.fat
    thickness = np.full(360, 3.0 + fat)
    wander = rng.normal(0, 0.16 * fat + 1.0, 5)
    thickness += bumps([50.0, 130.0, 0.0, 180.0, 270.0], list(wander), 24)
    thickness += bumps([45.0, 135.0], [0.25 * fat, 0.25 * fat], 22)
    thickness += bumps([90.0, 270.0], [-0.3 * fat, -0.15 * fat], 12)
    if level.breasts and patient.gender == "F":
        size = float(rng.uniform(6, 26))
        thickness += bumps([228.0, 312.0], [size, size * float(rng.uniform(0.85, 1.1))], 15)
    return np.asarray(np.maximum(thickness, 2.5))
