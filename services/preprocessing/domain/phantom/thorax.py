"""The chest: lungs with their vessels, heart or great vessels, chest wall and armpits."""

import numpy as np

from services.preprocessing.domain.phantom.canvas import Mask
from services.preprocessing.domain.phantom.contours import (
    Contour,
    band,
    blob,
    ellipse,
    smooth_closed,
)
from services.preprocessing.domain.phantom.scene import LevelMeasures, Scene, Site
from services.preprocessing.domain.phantom.tissues import FAT_HU
from services.preprocessing.domain.phantom.trunk import (
    offer_fat_and_wall_sites,
    paint_back_muscles,
    paint_bone,
    paint_ribs,
    paint_vertebra,
    paint_wall,
)
from services.preprocessing.domain.phantom.vessels import grow_tree, paint_vessel

GREAT_VESSELS_LEVEL = LevelMeasures(1.0, 0.98, 15, 17, 55, 2.25, 0.75, breasts=True)
HEART_LEVEL = LevelMeasures(1.02, 1.02, 14, 16, 54, 2.2, 0.8, breasts=True)

_MEDIASTINAL_FAT_HU = FAT_HU + 8


def paint_great_vessels_level(scene: Scene) -> None:
    """At the carina: aorta, pulmonary trunk, superior vena cava, airways, lymph-node stations."""
    _paint_chest(scene, scapulae=True)
    _paint_outer_muscles(scene)
    u = np.array([[-0.16, -0.78], [0.05, -0.85], [0.22, -0.7], [0.3, -0.35], [0.34, 0.02],
                  [0.28, 0.38], [0.2, 0.62], [-0.18, 0.62], [-0.2, 0.3], [-0.33, 0.02],
                  [-0.3, -0.35]])  # fmt: skip
    _paint_mediastinum(scene, u + scene.rng.normal(0, 0.015, u.shape))
    _paint_airways(scene)
    _paint_great_vessels(scene)
    _finish_spine(scene)
    for at in ((0.03, 0.02), (-0.12, -0.02), (0.02, -0.62), (0.12, -0.5), (-0.2, 0.14),
               (0.2, 0.05), (0.0, 0.22), (-0.08, -0.55)):  # fmt: skip
        centre = scene.near(scene.trunk.at(*at), 3)
        scene.offer("mediastinum", Site(centre, 15.0, 0.0, _MEDIASTINAL_FAT_HU))
    for side in (-1, 1):
        beside = scene.trunk.at(side * 0.37, float(scene.rng.uniform(-0.5, 0.35)))
        scene.offer("juxtamediastinal", Site(beside, 12.0, 90.0, scene.hu.lung))
    for at in ((-0.32, 0.08), (0.33, 0.08)):
        scene.offer("hilum", Site(scene.near(scene.trunk.at(*at), 4), 13.0, 0.0, FAT_HU))


def paint_heart_level(scene: Scene) -> None:
    """Through the ventricles: four chambers in fat, descending aorta, oesophagus."""
    _paint_chest(scene, scapulae=False)
    scale = float(scene.rng.uniform(0.9, 1.12))
    u = np.array([[-0.28, -0.72], [0.05, -0.86], [0.38, -0.72], [0.6, -0.42], [0.62, -0.12],
                  [0.4, 0.12], [0.26, 0.38], [0.2, 0.62], [-0.18, 0.62], [-0.16, 0.3],
                  [-0.32, 0.02], [-0.36, -0.4]])  # fmt: skip
    _paint_mediastinum(scene, u * (scale, 1.0))
    _paint_heart(scene, scale)
    trunk, hu = scene.trunk, scene.hu
    y = trunk.vertebra_y_mm
    paint_vessel(scene, scene.near((22, y - 20), 1.5), 11.5, hu.aorta, calcified=True)
    paint_vessel(scene, (-9, y - 21), 3.5, hu.vein)
    scene.canvas.fill(blob(scene.rng, (6, y - 33), (8, 6)), 42.0, edge_mm=0.5)
    _finish_spine(scene)
    for at in ((0.02, 0.28), (-0.1, 0.2), (-0.3, -0.6), (0.22, 0.25)):
        scene.offer("mediastinum", Site(scene.near(trunk.at(*at), 2), 12.0, 0.0, FAT_HU))


def _paint_chest(scene: Scene, *, scapulae: bool) -> None:
    paint_wall(scene)
    if scapulae:
        _paint_scapulae(scene)
    paint_ribs(scene, int(scene.rng.integers(13, 17)))
    _paint_sternum(scene)
    _paint_lungs(scene)
    offer_fat_and_wall_sites(scene)


def _paint_lungs(scene: Scene) -> None:
    canvas, trunk, hu = scene.canvas, scene.trunk, scene.hu
    cavity = canvas.mask(trunk.cavity)
    canvas.fill(trunk.cavity, hu.lung, edge_mm=0.4, grain_hu=(12.0, 10.0, 14.0))
    low = trunk.at(0, 1.0)
    dependent = ellipse(low, (trunk.cavity_half_width_mm * 1.2, trunk.cavity_posterior_mm * 0.5))
    canvas.fill(dependent, hu.lung + 70, edge_mm=14, opacity=0.6, inside=cavity)
    for side in (-1, 1):
        _paint_lung_vessels(scene, side, cavity)
        _offer_lung_sites(scene, side, cavity)


def _paint_lung_vessels(scene: Scene, side: int, cavity: Mask) -> None:
    rng, canvas, trunk = scene.rng, scene.canvas, scene.trunk
    facing = 0.0 if side > 0 else 180.0
    thin: list[Contour] = []
    thick: list[Contour] = []
    for heading in (-70, -35, 0, 30, 65):
        root = scene.near(trunk.at(side * 0.3, 0.05), 4)
        tree = grow_tree(
            rng,
            root,
            facing + side * heading + float(rng.normal(0, 10)),
            width_mm=float(rng.uniform(3.0, 6.0)),
            length_mm=float(rng.uniform(15, 27)),
            thinnest_mm=1.1,
            in_plane_share=0.3,
        )
        for outline, width in tree:
            (thick if width > 2.6 else thin).append(outline)
    for _ in range(90):
        at = trunk.at(side * float(rng.uniform(0.35, 0.95)), float(rng.uniform(-0.8, 0.85)))
        radius = float(rng.gamma(3.0, 0.28))
        radii = (radius, radius * float(rng.uniform(1, 2)))
        thin.append(ellipse(at, radii, float(rng.uniform(0, 180)), 12))
    canvas.fill_all(thin, -460.0, edge_mm=0.4, inside=cavity, opacity=0.85)
    canvas.fill_all(thick, -90.0 + 0.5 * scene.hu.vein, edge_mm=0.7, inside=cavity)


def _offer_lung_sites(scene: Scene, side: int, cavity: Mask) -> None:
    rng, trunk = scene.rng, scene.trunk
    for _ in range(6):
        u, v = side * float(rng.uniform(0.48, 0.86)), float(rng.uniform(-0.6, 0.7))
        if u * u + v * v > 0.82:
            continue
        scene.offer("lung", Site(trunk.at(u, v), 17.0, rng.uniform(0, 180), scene.hu.lung, cavity))
    index = int(rng.choice([-40, -20, 0, 25, 45])) % 360
    edge = trunk.cavity[index if side > 0 else (180 - index) % 360]
    centre = (float(edge[0]) * 0.96, float(edge[1]) * 0.96)
    scene.offer("pleura", Site(centre, 15.0, 0.0, scene.hu.lung, cavity))


def _paint_mediastinum(scene: Scene, uv: Contour) -> None:
    shape = np.asarray([scene.trunk.at(float(u), float(v)) for u, v in uv])
    scene.canvas.fill(
        smooth_closed(shape), _MEDIASTINAL_FAT_HU, edge_mm=0.9, grain_hu=(4.0, 14.0, 10.0)
    )


def _paint_airways(scene: Scene) -> None:
    rng, canvas, trunk = scene.rng, scene.canvas, scene.trunk
    if rng.random() < 0.5:
        tubes = [(trunk.at(0.0, 0.12), (9.5, 9.0))]
    else:
        tubes = [(trunk.at(-0.13, 0.12), (7.5, 6.5)), (trunk.at(0.13, 0.14), (7.5, 6.0))]
    for centre, radii in tubes:
        at = scene.near(centre, 1.5)
        canvas.fill(ellipse(at, (radii[0] + 1.8, radii[1] + 1.8)), 30.0, edge_mm=0.4)
        canvas.fill(ellipse(at, radii), -985.0, edge_mm=0.3)
    y = trunk.vertebra_y_mm
    canvas.fill(blob(rng, (5, y - 27), (8.5, 5.5)), 40.0, edge_mm=0.5, grain_hu=(3, 6, 0))
    if rng.random() < 0.4:
        canvas.fill(ellipse((5, y - 27), (2.0, 1.4)), -500.0, edge_mm=0.4)


def _paint_great_vessels(scene: Scene) -> None:
    rng, trunk, hu = scene.rng, scene.trunk, scene.hu
    y = trunk.vertebra_y_mm
    right_heart = 0.5 * (hu.vein + hu.aorta)
    artery = blob(rng, trunk.at(0.15, -0.22), (23, 12), -28, 0.04)
    scene.canvas.fill(artery, right_heart, edge_mm=0.5, grain_hu=(3, 5, 5))
    branch = blob(rng, trunk.at(-0.06, -0.1), (24, 7.5), 8, 0.05)
    scene.canvas.fill(branch, right_heart, edge_mm=0.6, grain_hu=(3, 5, 5))
    paint_vessel(scene, scene.near(trunk.at(-0.06, -0.38), 2), 15.5, hu.aorta, calcified=True)
    paint_vessel(scene, scene.near(trunk.at(-0.2, -0.28), 2), 9.0, hu.vein * 1.15)
    paint_vessel(scene, scene.near((22, y - 19), 2), 12.0, hu.aorta, calcified=True)
    paint_vessel(scene, (-9, y - 20), 4.0, hu.vein)
    for side in (-1, 1):
        for _ in range(3):
            at = scene.near(trunk.at(side * 0.3, 0.05), 7)
            paint_vessel(scene, at, float(rng.uniform(3, 6.5)), right_heart)


def _paint_heart(scene: Scene, scale: float) -> None:
    rng, canvas, trunk, hu = scene.rng, scene.canvas, scene.trunk, scene.hu
    muscle = 50 + 0.45 * (hu.vein - 42)
    grain = (3.0, 5.0, 7.0)
    heart = blob(rng, trunk.at(0.14 * scale, -0.33), (58 * scale, 41), -22, 0.04)
    canvas.fill(heart, muscle, edge_mm=1.2, grain_hu=grain)
    left = trunk.at(0.3 * scale, -0.27)
    canvas.fill(blob(rng, left, (29 * scale, 16), -32, 0.08), hu.aorta, edge_mm=1.2, grain_hu=grain)
    right = trunk.at(0.05 * scale, -0.52)
    canvas.fill(blob(rng, right, (26, 15), -24, 0.1), hu.vein, edge_mm=1.5, grain_hu=grain)
    atrium = trunk.at(-0.2 * scale, -0.28)
    canvas.fill(blob(rng, atrium, (17, 22), 0, 0.06), hu.vein, edge_mm=1.4, grain_hu=grain)
    behind = trunk.at(0.05, -0.02)
    canvas.fill(blob(rng, behind, (27, 12), 4, 0.06), hu.aorta, edge_mm=1.2, grain_hu=grain)
    groove = blob(rng, trunk.at(0.14, -0.12), (11, 3), -30, 0.2)
    canvas.fill(groove, FAT_HU + 30, edge_mm=1.0)


def _paint_sternum(scene: Scene) -> None:
    outline = scene.trunk.cavity
    plate = band(outline, 270, float(scene.rng.uniform(13, 19)), 5.0, 10.0)
    paint_bone(scene, plate, 2.0, scene.hu.trabecular * 0.7)
    middle = plate.mean(0)
    scene.offer("rib", Site((float(middle[0]), float(middle[1])), 10.0, 0.0, scene.hu.trabecular))


def _paint_scapulae(scene: Scene) -> None:
    """Shoulder blades in their muscles, behind and beside the ribs."""
    rng, canvas, muscle = scene.rng, scene.canvas, scene.trunk.muscle
    for middle in (42.0, 138.0):
        at = middle + float(rng.normal(0, 4))
        canvas.fill(band(muscle, at, 52, 2.0, 22), scene.hu.muscle, edge_mm=0.5, grain_hu=(4, 9, 5))
        blade = band(muscle, at, 36, 1.5, 4.5)
        canvas.fill(blade, scene.hu.cortical * 0.9, edge_mm=0.3, grain_hu=(40, 60, 0))
        canvas.fill(band(muscle, at, 50, -7.5, 2.0), FAT_HU + 20, opacity=0.8)
        centre = blade.mean(0)
        scene.offer("rib", Site((float(centre[0]), float(centre[1])), 9.0, 0, scene.hu.trabecular))


def _paint_outer_muscles(scene: Scene) -> None:
    """Pectorals and latissimus outside the rib cage, with the armpit between them."""
    rng, canvas, muscle = scene.rng, scene.canvas, scene.trunk.muscle
    bulk = scene.patient.muscle
    for side_deg, mirror in ((318.0, 1.0), (222.0, -1.0)):
        at = side_deg + float(rng.normal(0, 3))
        canvas.fill(band(muscle, at, 58, 5.0, 11 * bulk), scene.hu.muscle, grain_hu=(4, 9, 5))
        canvas.fill(band(muscle, at + 6 * mirror, 34, 0.5, 2.0), FAT_HU + 10)
        armpit = at + 34 * mirror
        index = round(armpit) % 360
        edge = muscle[index] * 1.03
        scene.offer("armpit", Site((float(edge[0]), float(edge[1])), 11.0, 0.0, FAT_HU))


def _finish_spine(scene: Scene) -> None:
    paint_back_muscles(scene, 20.0, 20.0)
    paint_vertebra(scene, (17.0, 14.5))
    for side in (-1, 1):
        beside = scene.near((side * 25.0, scene.trunk.vertebra_y_mm + 2), 3)
        scene.offer("paravertebral", Site(beside, 11.0, 90.0, FAT_HU))
