"""The pelvis at two levels: iliac wings with the sacrum, and the hips with the bladder."""

import numpy as np

from services.preprocessing.domain.phantom.bowel import paint_colon, paint_small_bowel
from services.preprocessing.domain.phantom.contours import (
    Contour,
    band,
    blob,
    ellipse,
    shrunk,
    smooth_closed,
)
from services.preprocessing.domain.phantom.scene import LevelMeasures, Scene, Site
from services.preprocessing.domain.phantom.tissues import BOWEL_GAS_HU, FAT_HU, WATER_HU
from services.preprocessing.domain.phantom.trunk import (
    FAT_GRAIN,
    MUSCLE_GRAIN,
    offer_fat_and_wall_sites,
    paint_bone,
    paint_wall,
)
from services.preprocessing.domain.phantom.vessels import paint_vessel

ILIAC_LEVEL = LevelMeasures(1.04, 0.93, 13, 30, 36, 2.4, 1.2)
HIP_LEVEL = LevelMeasures(1.08, 0.95, 13, 18, 28, 2.3, 1.1)

_WING = np.array([[0.3, 0.62], [0.42, 0.7], [0.62, 0.34], [0.8, -0.06], [0.86, -0.3], [0.8, -0.36],
                  [0.7, -0.12], [0.5, 0.26]])  # fmt: skip
_SACRUM = np.array([[-0.28, 0.36], [-0.12, 0.26], [0.12, 0.26], [0.28, 0.36], [0.33, 0.58],
                    [0.16, 0.74], [0.0, 0.8], [-0.16, 0.74], [-0.33, 0.58]])  # fmt: skip

_ILIACUS = [(0.3, 0.6), (0.62, 0.3), (0.8, -0.1), (0.72, -0.3), (0.5, -0.05), (0.32, 0.3)]
_FALSE_PELVIS = [(-0.72, -0.3), (-0.4, -0.8), (0.0, -0.93), (0.4, -0.8), (0.72, -0.3),
                 (0.46, -0.02), (0.28, 0.36), (0.0, 0.3), (-0.28, 0.36),
                 (-0.46, -0.02)]  # fmt: skip
#: Fat clefts between the gluteal muscles: u, v, turn in degrees, length in mm.
_CLEFTS = ((0.6, 0.5, 48, 34), (0.74, 0.16, 62, 26), (0.8, -0.36, 118, 20))


def paint_iliac_level(scene: Scene) -> None:
    """Iliac wings between the gluteal and iliacus muscles, sacrum, bowel, iliac vessels."""
    rng, trunk = scene.rng, scene.trunk
    _paint_girdle(scene)
    _paint_muscle(scene, _ILIACUS)
    interior = smooth_closed(trunk.shape(*_FALSE_PELVIS))
    scene.canvas.fill(interior, FAT_HU, edge_mm=0.8, grain_hu=FAT_GRAIN)
    paint_small_bowel(scene, (-0.5, -0.8, 0.5, 0.1), int(rng.integers(11, 18)))
    paint_colon(scene, scene.near(trunk.at(-0.52, -0.42), 4), float(rng.uniform(13, 20)))
    paint_colon(scene, scene.near(trunk.at(0.55, -0.35), 4), float(rng.uniform(9, 14)))
    _paint_psoas_and_vessels(scene)
    for side in (-1, 1):
        wing = smooth_closed(_mirrored(scene, _WING, side))
        paint_bone(scene, wing, 3.0, scene.hu.trabecular * 0.85)
        for k in (0.3, 0.55, 0.78):
            u, v = 0.36 + k * 0.46, 0.66 - k * 0.92
            scene.offer("iliac", Site(trunk.at(side * u, v), 10.0, -side * 62, scene.hu.trabecular))
    sacrum = smooth_closed(_mirrored(scene, _SACRUM, 1))
    paint_bone(scene, sacrum, 3.0, scene.hu.trabecular * 0.75)
    for u in (-0.13, 0.13):
        scene.canvas.fill(ellipse(trunk.at(u, 0.52), (4.0, 3.2)), FAT_HU + 60, edge_mm=0.7)
    scene.canvas.fill(ellipse(trunk.at(0, 0.66), (9, 4)), 5.0, edge_mm=0.8)
    for u in (-0.22, 0.0, 0.22):
        scene.offer("iliac", Site(trunk.at(u, 0.46), 11.0, 0.0, scene.hu.trabecular))
    offer_fat_and_wall_sites(scene, avoid_spine=False)


def paint_hip_level(scene: Scene) -> None:
    """Femoral heads in their sockets, bladder, uterus or seminal vesicles, rectum."""
    rng, canvas, trunk = scene.rng, scene.canvas, scene.trunk
    _paint_girdle(scene)
    half = trunk.cavity_half_width_mm
    interior = blob(rng, trunk.at(0, -0.02), (0.46 * half, 0.7 * trunk.cavity_anterior_mm), 0, 0.04)
    canvas.fill(interior, FAT_HU, edge_mm=1.0, grain_hu=FAT_GRAIN)
    _paint_muscle(scene, [(0.36, -0.4), (0.48, -0.2), (0.47, 0.3), (0.34, 0.48), (0.33, 0.1)])
    _paint_hips(scene)
    bladder = _paint_bladder(scene)
    _paint_behind_bladder(scene)
    rectum = scene.near(trunk.at(0.02, 0.58), 3)
    paint_colon(scene, rectum, float(rng.uniform(14, 19)))
    if rng.random() < 0.5:
        canvas.fill(ellipse(rectum, (6, 4)), BOWEL_GAS_HU, edge_mm=0.5)
    coccyx = blob(rng, trunk.at(0, 0.86), (9, 6), 0, 0.08)
    paint_bone(scene, coccyx, 1.5, scene.hu.trabecular)
    for side in (-1, 1):
        paint_vessel(scene, scene.near(trunk.at(side * 0.46, -0.62), 2), 4.5, scene.hu.aorta)
        paint_vessel(scene, scene.near(trunk.at(side * 0.38, -0.58), 2), 5.5, scene.hu.vein)
        scene.offer("groin", Site(trunk.at(side * 0.5, -0.76), 11.0, 20.0 * side, FAT_HU))
        for u, v in ((0.32, -0.18), (0.3, 0.3), (0.28, -0.42)):
            beside = scene.near(trunk.at(side * u, v), 3)
            scene.offer("pelvis", Site(beside, 16.0, 70 * side, FAT_HU))
    scene.offer("pelvis", Site(scene.near(trunk.at(0.1, 0.3), 3), 18.0, 0.0, FAT_HU))
    scene.offer("bladder", Site(bladder, 14.0, 0.0, WATER_HU))
    offer_fat_and_wall_sites(scene, avoid_spine=False)


def _mirrored(scene: Scene, uv: Contour, side: int) -> Contour:
    wandering = uv + scene.rng.normal(0, 0.012, uv.shape)
    return scene.trunk.shape(*[(side * float(u), float(v)) for u, v in wandering])


def _paint_girdle(scene: Scene) -> None:
    """The gluteal mass: three muscles a side, parted by fat."""
    canvas, trunk, rng = scene.canvas, scene.trunk, scene.rng
    paint_wall(scene)
    canvas.fill(trunk.cavity, scene.hu.muscle, grain_hu=MUSCLE_GRAIN)
    for side in (1, -1):
        for u, v, lie, reach in _CLEFTS:
            turn, length = lie + float(rng.normal(0, 7)), reach * float(rng.uniform(0.7, 1.2))
            middle = scene.near(trunk.at(side * u, v), 3)
            cleft = blob(rng, middle, (length, 1.7), side * turn, 0.12)
            canvas.fill(cleft, FAT_HU + 20, edge_mm=0.9, opacity=0.85)
            for _ in range(int(rng.integers(2, 8))):
                strand = scene.near(trunk.at(side * u, v + 0.16), 15)
                length_mm, lean = float(rng.uniform(3, 12)), float(rng.normal(turn - 18, 16))
                line = blob(rng, strand, (length_mm, 0.7), side * lean, 0.1, 16)
                canvas.fill(line, FAT_HU + 50, edge_mm=0.8, opacity=float(rng.uniform(0.3, 0.7)))
        gluteus = trunk.at(side * 0.62, 0.66)
        scene.offer("gluteal", Site(scene.near(gluteus, 4), 18.0, -40.0 * side, scene.hu.muscle))
    canvas.fill(band(trunk.muscle, 90, 16, -2.0, 14.0), FAT_HU, edge_mm=1.5, grain_hu=FAT_GRAIN)


def _paint_muscle(scene: Scene, uv: list[tuple[float, float]]) -> None:
    for side in (-1, 1):
        shape = smooth_closed(_mirrored(scene, np.asarray(uv), side))
        scene.canvas.fill(shape, scene.hu.muscle, edge_mm=0.6, grain_hu=(4, 7, 4))


def _paint_psoas_and_vessels(scene: Scene) -> None:
    rng, trunk, hu = scene.rng, scene.trunk, scene.hu
    for side in (-1, 1):
        at = trunk.at(side * 0.42, -0.06)
        psoas = blob(rng, at, (18 * scene.patient.muscle, 15), side * 35, 0.05)
        scene.canvas.fill(psoas, hu.muscle, edge_mm=0.6, grain_hu=(4, 7, 4))
        artery = scene.near(trunk.at(side * 0.24, -0.02), 2)
        paint_vessel(scene, artery, 5.0, hu.aorta, calcified=True)
        paint_vessel(scene, scene.near(trunk.at(side * 0.24, 0.12), 2), 6.0, hu.vein)
        for u, v in ((0.34, 0.1), (0.3, -0.12), (0.16, 0.08)):
            site = Site(scene.near(trunk.at(side * u, v), 2), 12.0, 60.0 * side, FAT_HU)
            scene.offer("pelvis", site)


def _paint_hips(scene: Scene) -> None:
    rng, trunk, hu = scene.rng, scene.trunk, scene.hu
    for side in (-1, 1):
        x, y = trunk.at(side * 0.66, -0.08)
        front = np.array([[x - side * 26, y - 22], [x - side * 14, y - 30], [x + side * 4, y - 27],
                          [x - side * 12, y - 18], [x - side * 25, y + 2], [x - side * 16, y + 20],
                          [x + side * 2, y + 27], [x - side * 12, y + 33], [x - side * 28, y + 22],
                          [x - side * 33, y]])  # fmt: skip
        socket = smooth_closed(front + rng.normal(0, 0.8, front.shape))
        paint_bone(scene, socket, 3.2, hu.trabecular * 0.9)
        head = blob(rng, (x, y), (23, 23), 0, 0.012)
        scene.canvas.fill(shrunk(head, 1.08), 20.0, edge_mm=0.6)
        paint_bone(scene, head, 1.6, hu.trabecular * 1.35)
        neck = blob(rng, (x + side * 34, y + 12), (15, 14), 0, 0.06)
        paint_bone(scene, neck, 2.2, hu.trabecular * 0.7)
        for dx, dy, room in ((0, 0, 13), (-22, 22, 8), (-20, -22, 8), (34, 12, 10)):
            scene.offer("iliac", Site((x + side * dx, y + dy), room, 40.0 * side, hu.trabecular))


def _paint_bladder(scene: Scene) -> tuple[float, float]:
    rng, canvas = scene.rng, scene.canvas
    fill = float(rng.uniform(0.7, 1.3))
    centre = scene.near(scene.trunk.at(0.0, -0.34), 3)
    outline = blob(rng, centre, (34 * fill, 24 * fill), 0, 0.04)
    canvas.fill(outline, 38.0, edge_mm=0.8)
    urine = 240.0 if scene.study.phase == "delayed" and rng.random() < 0.6 else WATER_HU
    canvas.fill(shrunk(outline, 0.93), urine, edge_mm=0.8, grain_hu=(2, 3, 3))
    return (centre[0] + 32 * fill * float(rng.choice([-1, 1])), centre[1])


def _paint_behind_bladder(scene: Scene) -> None:
    rng, canvas, trunk, hu = scene.rng, scene.canvas, scene.trunk, scene.hu
    at = scene.near(trunk.at(0.0, 0.16), 3)
    if scene.patient.gender == "F":
        uterus = blob(rng, at, (27, 19), float(rng.normal(0, 15)), 0.07)
        canvas.fill(uterus, hu.muscle + 28, edge_mm=0.8, grain_hu=(3, 8, 9))
        canvas.fill(blob(rng, at, (10, 5), 0, 0.1), hu.muscle + 4, edge_mm=2.0)
        return
    for side in (-1, 1):
        vesicle = blob(rng, (at[0] + side * 17, at[1]), (17, 6.5), side * 18, 0.1)
        canvas.fill(vesicle, 38.0, edge_mm=0.8, grain_hu=(3, 9, 0))
