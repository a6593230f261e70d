"""Solid organs of the abdomen: liver, spleen, stomach, kidneys, pancreas, great vessels."""

import numpy as np

from services.preprocessing.domain.phantom.canvas import Mask
from services.preprocessing.domain.phantom.contours import (
    Contour,
    Point,
    above_level,
    blob,
    ellipse,
    placed,
    shrunk,
    smooth_closed,
)
from services.preprocessing.domain.phantom.scene import Scene, Site
from services.preprocessing.domain.phantom.tissues import BOWEL_GAS_HU, FAT_HU
from services.preprocessing.domain.phantom.vessels import grow_tree, paint_vessel

ORGAN_GRAIN = (3.0, 4.0, 4.0)
_KIDNEY = np.array([[0.0, -1.0], [0.72, -0.72], [1.0, 0.0], [0.75, 0.72], [0.0, 1.0],
                    [-0.62, 0.74], [-0.72, 0.3], [-0.36, 0.0], [-0.72, -0.32],
                    [-0.62, -0.76]])  # fmt: skip


def jittered(scene: Scene, uv: list[Point], by: float = 0.025) -> Contour:
    """A smooth outline (mm) through cavity coordinates ``uv`` that wander by ``by``."""
    wandering = np.asarray(uv) + scene.rng.normal(0, by, (len(uv), 2))
    return smooth_closed(scene.trunk.shape(*[(float(u), float(v)) for u, v in wandering]))


def paint_liver(scene: Scene, outline: Contour, heart: Point, cavity: Mask) -> None:
    """The liver within ``cavity``; its veins fan out from ``heart``; sites within it."""
    rng, canvas, hu = scene.rng, scene.canvas, scene.hu
    fatty = float(rng.uniform(8, 45)) if rng.random() < 0.15 else 0.0
    liver_hu = hu.liver - fatty
    canvas.fill(outline, liver_hu, edge_mm=0.8, grain_hu=ORGAN_GRAIN, inside=cavity)
    inside = np.minimum(cavity, canvas.mask(shrunk(outline, 0.97))).astype(np.uint8)
    thick: list[Contour] = []
    thin: list[Contour] = []
    for heading in (150, 185, 215, 250):
        tree = grow_tree(
            rng,
            scene.near(heart, 5),
            heading + float(rng.normal(0, 14)),
            width_mm=float(rng.uniform(5, 9)),
            length_mm=float(rng.uniform(20, 34)),
            thinnest_mm=1.6,
            in_plane_share=0.45,
        )
        for branch, width in tree:
            (thick if width > 3.4 else thin).append(branch)
    vessel_hu = hu.liver_vessel
    canvas.fill_all(thick, vessel_hu, edge_mm=1.0, inside=inside, opacity=0.75)
    canvas.fill_all(thin, vessel_hu, edge_mm=1.0, inside=inside, opacity=0.55)
    _offer_perihepatic_sites(scene, outline, cavity, liver_hu)
    _offer_liver_sites(scene, outline, inside, liver_hu)


def _offer_liver_sites(scene: Scene, outline: Contour, inside: Mask, liver_hu: float) -> None:
    rng = scene.rng
    low, high = outline.min(0), outline.max(0)
    middle = outline.mean(0)
    scene.offer("liver", Site((float(middle[0]), float(middle[1])), 14.0, 0.0, liver_hu, inside))
    found = 0
    for _ in range(200):
        at = rng.uniform(low, high)
        x, y = scene.canvas.to_px(at[None])[0]
        reach = 7 / scene.canvas.spacing_mm
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        around = inside[top : int(y + reach), left : int(x + reach)]
        if around.size and around.min() > 200:
            site = Site((float(at[0]), float(at[1])), 26.0, rng.uniform(0, 180), liver_hu, inside)
            scene.offer("liver", site)
            found += 1
        if found >= 8:
            return


def _offer_perihepatic_sites(scene: Scene, outline: Contour, cavity: Mask, liver_hu: float) -> None:
    """On the capsule: lesions that bulge out of the liver, or press into it from outside."""
    rim = shrunk(outline, 0.94)
    for x, y in rim[scene.rng.integers(0, len(rim), 5)].tolist():
        scene.offer("perihepatic", Site((x, y), 13.0, scene.rng.uniform(0, 180), liver_hu, cavity))


def paint_spleen(scene: Scene, outline: Contour, cavity: Mask) -> None:
    scene.canvas.fill(
        outline, scene.hu.spleen, edge_mm=0.8, grain_hu=(3.0, 4.0, 6.0), inside=cavity
    )


def paint_stomach(scene: Scene, outline: Contour) -> None:
    """Folded wall, food or oral contrast behind, gas in front."""
    rng, canvas = scene.rng, scene.canvas
    canvas.fill(outline, scene.hu.bowel_wall, edge_mm=0.6, grain_hu=(4, 7, 0))
    inner = shrunk(outline, float(rng.uniform(0.78, 0.9)))
    contrast = scene.study.oral_contrast and rng.random() < 0.6
    filling = float(rng.uniform(180, 420)) if contrast else float(rng.uniform(10, 60))
    canvas.fill(inner, filling, edge_mm=1.0, grain_hu=(8, 26 if contrast else 14, 12))
    if rng.random() < 0.8:
        top, bottom = float(inner[:, 1].min()), float(inner[:, 1].max())
        level = top + (bottom - top) * float(rng.uniform(0.12, 0.5))
        canvas.fill(above_level(shrunk(inner, 0.97), level), BOWEL_GAS_HU, edge_mm=0.5)


def paint_kidney(scene: Scene, side: int, scale: float) -> None:
    """A kidney on ``side`` (+1: the patient's left): cortex, pyramids, sinus; sites on its rim."""
    rng, canvas, hu, trunk = scene.rng, scene.canvas, scene.hu, scene.trunk
    centre = scene.near((side * 62.0 * scale, trunk.vertebra_y_mm + 3), 3.5)
    turn = -side * float(rng.normal(28, 9))
    radii = np.array([side * 24.0, 30.0]) * scale * rng.normal(1, 0.06, 2)
    outline = placed(smooth_closed(_KIDNEY * radii), centre, turn)
    canvas.fill(outline, hu.kidney_cortex, edge_mm=0.8, grain_hu=ORGAN_GRAIN)
    sinus = (centre[0] - side * 7 * scale, centre[1])
    _paint_pyramids(scene, sinus, side, scale)
    canvas.fill(blob(rng, sinus, (10 * scale, 12 * scale), turn, 0.18), FAT_HU + 25, edge_mm=1.3)
    hilum = (centre[0] - side * 20 * scale, centre[1] + 1)
    canvas.fill(ellipse(hilum, (9 * scale, 5 * scale)), FAT_HU + 15, edge_mm=1.2)
    pelvis = (sinus[0] - side * 2, sinus[1])
    calyces = blob(rng, pelvis, (6 * scale, 4 * scale), turn, 0.15)
    canvas.fill(calyces, hu.kidney_pelvis, edge_mm=0.8)
    paint_vessel(scene, scene.near((hilum[0], hilum[1] - 3), 1.5), 2.6, hu.vein)
    for heading in rng.uniform(-110, 110, 6):
        angle = np.deg2rad(heading)
        rim = (
            centre[0] + side * float(np.cos(angle)) * 23 * scale,
            centre[1] + float(np.sin(angle)) * 29 * scale,
        )
        scene.offer("kidney", Site(rim, 20.0, rng.uniform(0, 180), hu.kidney_cortex))
        outside = (
            centre[0] + 1.4 * (rim[0] - centre[0]),
            centre[1] + 1.35 * (rim[1] - centre[1]) - 2.0,
        )
        scene.offer("perirenal", Site(outside, 13.0, rng.uniform(0, 180), FAT_HU))


def _paint_pyramids(scene: Scene, sinus: Point, side: int, scale: float) -> None:
    rng, hu = scene.rng, scene.hu
    pyramids = []
    for heading in np.linspace(-120, 120, 6) + rng.normal(0, 8, 6):
        angle = np.deg2rad(heading)
        reach = 15.5 * scale
        at = (
            sinus[0] + side * float(np.cos(angle)) * reach * 0.95,
            sinus[1] + float(np.sin(angle)) * reach * 1.05,
        )
        tilt = -float(np.rad2deg(np.arctan2(np.sin(angle), side * np.cos(angle))))
        pyramids.append(blob(rng, at, (5.2 * scale, 3.8 * scale), tilt, 0.08, 24))
    scene.canvas.fill_all(pyramids, hu.kidney_medulla, edge_mm=1.1)


def paint_great_vessels(scene: Scene, *, forked: bool = False) -> None:
    """Aorta and inferior vena cava before the spine, or their branches below the navel."""
    hu, y = scene.hu, scene.trunk.vertebra_y_mm
    if forked:
        for side in (-1, 1):
            paint_vessel(scene, scene.near((side * 16, y - 24), 2), 6.0, hu.aorta, calcified=True)
            paint_vessel(scene, scene.near((side * 20, y - 14), 2), 7.0, hu.vein)
        return
    paint_vessel(scene, scene.near((9, y - 29), 1.5), 9.5, hu.aorta, calcified=True)
    cava = blob(scene.rng, scene.near((-18, y - 26), 2), (12, 8.5), 10, 0.04)
    scene.canvas.fill(cava, hu.vein, edge_mm=0.7, grain_hu=(3, 4, 6))
    for dx, dy in ((24, -22), (-4, -36), (-2, -24), (20, -36)):
        scene.offer("retroperitoneum", Site(scene.near((dx, y + dy), 2), 11.0, 0.0, FAT_HU))


def paint_pancreas(scene: Scene) -> None:
    rng, trunk = scene.rng, scene.trunk
    gland_hu = scene.hu.liver - 12
    y = trunk.vertebra_y_mm - 46
    parts = [((-28, y + 4), (16, 11)), ((2, y - 4), (22, 7.5)), ((34, y + 2), (24, 8))]
    for centre, radii in parts:
        body = blob(rng, scene.near(centre, 2.5), radii, float(rng.normal(12, 8)), 0.14)
        scene.canvas.fill(body, gland_hu, edge_mm=1.0, grain_hu=(4, 16, 5))
        scene.offer("pancreas", Site(centre, 15.0, 15.0, gland_hu))
