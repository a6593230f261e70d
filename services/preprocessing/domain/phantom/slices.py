"""One slice: anatomy, its lesions, the scanner; and what a reader marks on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import Category
from services.preprocessing.domain.phantom.canvas import Canvas
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.lesions import paint_lesion
from services.preprocessing.domain.phantom.levels import LEVELS, Level
from services.preprocessing.domain.phantom.measurement import Measurement, measure
from services.preprocessing.domain.phantom.noise import scanned
from services.preprocessing.domain.phantom.patients import Patient, Study
from services.preprocessing.domain.phantom.scene import Scene, draw_trunk
from services.preprocessing.domain.phantom.trunk import paint_table


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """What a slice will show. The same plan always gives the same pixels."""

    patient: Patient
    study: Study
    level: Level
    category: Category
    lesions: int
    key_slice: int
    normalised_z: float
    window_hu: tuple[float, float]
    seed: int


@dataclass(frozen=True, slots=True)
class LesionMark:
    """A measured lesion, and its place relative to the body's bounding box (0 to 1)."""

    measurement: Measurement
    normalised_xy: tuple[float, float]


@dataclass(frozen=True, slots=True)
class RenderedSlice:
    hu: NDArray[np.int16]  # [512, 512]
    marks: tuple[LesionMark, ...]


def render_slice(
    plan: SlicePlan, difficulty: Difficulty, *, with_lesions: bool = True
) -> RenderedSlice:
    """Paint and scan ``plan``.

    Anatomy, lesions and noise each have a random stream of their own: without lesions, all else
    is the same.
    """
    scene = _empty_scene(plan)
    paint_table(scene)
    scene.canvas.tilt(plan.study.tilt_deg)
    plan.level.paint(scene)
    marks: tuple[LesionMark, ...] = ()
    if with_lesions:
        marks = _paint_lesions(scene, plan, difficulty)
    study = plan.study
    image = scanned(
        np.random.default_rng([plan.seed, 2]),
        scene.canvas.hu,
        noise_hu=study.noise_hu,
        sharpness=study.sharpness,
        streak_hu=0.22 * study.noise_hu,
    )
    return RenderedSlice(np.rint(np.clip(image, -1024, 3071)).astype(np.int16), marks)


def _empty_scene(plan: SlicePlan) -> Scene:
    study, patient, level = plan.study, plan.patient, plan.level
    rng = np.random.default_rng([plan.seed, 0])
    shape_rng = np.random.default_rng([patient.seed, LEVELS.index(level)])
    canvas = Canvas(rng, study.spacing_mm, study.middle_px)
    trunk = draw_trunk(shape_rng, patient, level.measures)
    return Scene(canvas, rng, patient, study, trunk, plan.category)


def _paint_lesions(scene: Scene, plan: SlicePlan, difficulty: Difficulty) -> tuple[LesionMark, ...]:
    rng = np.random.default_rng([plan.seed, 1])
    body = scene.canvas.to_px(scene.trunk.skin)
    low, size = body.min(0), np.ptp(body, axis=0)
    marks = []
    for _ in range(plan.lesions):
        outline = scene.canvas.to_px(paint_lesion(rng, scene, plan.category, difficulty))
        x, y = (outline.mean(0) - low) / size
        marks.append(LesionMark(measure(outline), (float(x), float(y))))
    return tuple(marks)
