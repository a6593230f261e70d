"""The abdomen at three levels: liver and spleen, kidneys, and below the kidneys."""

from services.preprocessing.domain.phantom.bowel import paint_colon, paint_small_bowel
from services.preprocessing.domain.phantom.contours import band, blob, ellipse
from services.preprocessing.domain.phantom.organs import (
    jittered,
    paint_great_vessels,
    paint_kidney,
    paint_liver,
    paint_pancreas,
    paint_spleen,
    paint_stomach,
)
from services.preprocessing.domain.phantom.scene import LevelMeasures, Scene, Site
from services.preprocessing.domain.phantom.tissues import FAT_HU
from services.preprocessing.domain.phantom.trunk import (
    FAT_GRAIN,
    offer_fat_and_wall_sites,
    paint_back_muscles,
    paint_ribs,
    paint_vertebra,
    paint_wall,
)
from services.preprocessing.domain.phantom.vessels import paint_vessel

LIVER_LEVEL = LevelMeasures(1.02, 1.02, 12, 15, 54, 2.25, 0.8)
KIDNEY_LEVEL = LevelMeasures(0.98, 0.98, 14, 19, 62, 2.3, 1.0)
LOWER_LEVEL = LevelMeasures(0.97, 0.95, 15, 22, 64, 2.35, 1.15)

_LIVER = [(-0.95, -0.1), (-0.88, -0.5), (-0.55, -0.82), (-0.1, -0.93), (0.28, -0.8), (0.36, -0.58),
          (0.14, -0.32), (-0.02, -0.05), (-0.1, 0.2), (-0.25, 0.5), (-0.5, 0.72), (-0.8, 0.6),
          (-0.96, 0.3)]  # fmt: skip
_LIVER_TIP = [(-0.95, -0.05), (-0.85, -0.5), (-0.55, -0.78), (-0.38, -0.55), (-0.5, -0.15),
              (-0.62, 0.25), (-0.7, 0.62), (-0.9, 0.5)]  # fmt: skip
_SPLEEN = [(0.95, 0.15), (0.9, -0.18), (0.7, -0.1), (0.55, 0.15), (0.36, 0.44), (0.44, 0.72),
           (0.78, 0.68)]  # fmt: skip
_STOMACH = [(0.16, -0.6), (0.45, -0.86), (0.78, -0.64), (0.86, -0.25), (0.66, 0.06), (0.36, 0.06),
            (0.18, -0.22)]  # fmt: skip


def paint_liver_level(scene: Scene) -> None:
    """Liver, stomach and spleen under the domes of the diaphragm, lung bases behind."""
    canvas, trunk, rng, hu = scene.canvas, scene.trunk, scene.rng, scene.hu
    paint_wall(scene)
    paint_ribs(scene, int(rng.integers(13, 18)))
    cavity = canvas.mask(trunk.cavity)
    canvas.fill(trunk.cavity, hu.lung + 30, edge_mm=0.4, grain_hu=(14, 14, 10))
    sink = float(rng.uniform(-0.03, 0.14))
    dome = blob(rng, trunk.at(0, -0.16), _dome_radii(scene, sink), 0, 0.012)
    canvas.fill(dome, hu.muscle, edge_mm=1.2, inside=cavity)
    canvas.fill(dome * 0.985, FAT_HU, edge_mm=0.8, grain_hu=FAT_GRAIN, inside=cavity)
    below = canvas.mask(dome * 0.985)
    _paint_splenic_hilum(scene)
    paint_spleen(scene, jittered(scene, _SPLEEN, 0.04), below)
    paint_stomach(scene, jittered(scene, _STOMACH, 0.045))
    if rng.random() < 0.45:
        paint_colon(scene, scene.near(trunk.at(0.7, -0.55), 5), float(rng.uniform(12, 20)))
    y = trunk.vertebra_y_mm
    canvas.fill(blob(rng, (-9, y - 22), (14, 8), -20, 0.1), hu.muscle, edge_mm=0.8)
    paint_liver(scene, jittered(scene, _LIVER, 0.035), trunk.at(-0.16, 0.18), below)
    cava = blob(rng, scene.near((-27, y - 24), 2), (13, 10), 15, 0.05)
    canvas.fill(cava, 0.5 * (hu.vein + hu.liver), edge_mm=0.8, grain_hu=(3, 5, 8))
    paint_vessel(scene, scene.near((13, y - 22), 1.5), 11.0, hu.aorta, calcified=True)
    canvas.fill(blob(rng, (16, y - 38), (10, 7), 30, 0.08), 45.0, edge_mm=0.6)
    paint_back_muscles(scene, 21.0, 21.0)
    paint_vertebra(scene, (18.5, 15.5))
    offer_fat_and_wall_sites(scene)
    scene.offer("upper", Site(scene.near(trunk.at(0.12, -0.2), 4), 13.0, 0.0, FAT_HU))
    scene.offer("upper", Site(scene.near(trunk.at(0.48, 0.18), 4), 13.0, 0.0, FAT_HU))


def _paint_splenic_hilum(scene: Scene) -> None:
    """Splenic vessels, the left adrenal, and the upper pole of the left kidney."""
    rng, canvas, trunk, hu = scene.rng, scene.canvas, scene.trunk, scene.hu
    y = trunk.vertebra_y_mm
    if rng.random() < 0.55:
        pole = blob(rng, scene.near((50, y + 4), 4), (19, 22), 10, 0.05)
        canvas.fill(pole, hu.kidney_cortex, edge_mm=1.4, grain_hu=(3, 5, 6))
    for _ in range(8):
        at = scene.near(trunk.at(0.36, 0.16), 9)
        width = float(rng.uniform(2, 5))
        cut = blob(rng, at, (width * 1.6, width * 0.7), rng.uniform(0, 180), 0.1, 20)
        canvas.fill(cut, hu.vein, edge_mm=0.6)
    for turn in (35, 110):
        limb = blob(rng, (32, y - 14), (10, 2.2), turn, 0.1)
        canvas.fill(limb, 50.0 + 0.2 * hu.vein, edge_mm=0.6)


def _dome_radii(scene: Scene, sink: float) -> tuple[float, float]:
    trunk = scene.trunk
    height = 0.5 * (trunk.cavity_anterior_mm + trunk.cavity_posterior_mm)
    return (trunk.cavity_half_width_mm * (1.0 - 0.3 * sink), height * (1.02 - sink))


def paint_kidney_level(scene: Scene) -> None:
    """Both kidneys, pancreas or duodenum, tip of the liver, colon and small bowel."""
    rng, canvas, trunk = scene.rng, scene.canvas, scene.trunk
    _paint_abdominal_wall(scene, ribs=True)
    paint_small_bowel(scene, (-0.45, -0.8, 0.74, -0.05), _loops(scene, 15))
    cavity = canvas.mask(trunk.cavity)
    if rng.random() < 0.75 or scene.category == "liver":
        paint_liver(scene, jittered(scene, _LIVER_TIP), trunk.at(-0.6, -0.2), cavity)
    else:
        paint_colon(scene, scene.near(trunk.at(-0.74, -0.1), 4), float(rng.uniform(15, 22)))
    paint_colon(scene, scene.near(trunk.at(0.8, 0.12), 4), float(rng.uniform(11, 17)))
    if rng.random() < 0.5:
        paint_pancreas(scene)
    _paint_psoas(scene, 0.75)
    scale = float(rng.uniform(0.9, 1.1))
    for side in (-1, 1):
        paint_kidney(scene, side, scale * float(rng.uniform(0.88, 1.05)))
    paint_great_vessels(scene)
    _finish_lumbar_spine(scene)


def paint_lower_level(scene: Scene) -> None:
    """Below the kidneys: bowel in its mesentery, psoas, the last of the great vessels."""
    rng, trunk = scene.rng, scene.trunk
    _paint_abdominal_wall(scene, ribs=False)
    paint_small_bowel(scene, (-0.62, -0.8, 0.66, 0.12), _loops(scene, 22))
    paint_colon(scene, scene.near(trunk.at(-0.76, 0.0), 4), float(rng.uniform(16, 24)))
    paint_colon(scene, scene.near(trunk.at(0.8, 0.1), 4), float(rng.uniform(11, 17)))
    _paint_psoas(scene, 1.1)
    paint_great_vessels(scene, forked=bool(rng.random() < 0.35))
    _finish_lumbar_spine(scene)


def _loops(scene: Scene, average: int) -> int:
    """Loops lie packed in the lean, and far apart in visceral fat."""
    return int(average * (1.35 - 0.75 * scene.patient.visceral_fat) + scene.rng.integers(-2, 3))


def _paint_abdominal_wall(scene: Scene, *, ribs: bool) -> None:
    canvas, trunk, rng = scene.canvas, scene.trunk, scene.rng
    paint_wall(scene)
    for side_deg in (0, 180):
        for depth in (0.33, 0.66):
            middle, span = side_deg + float(rng.normal(0, 12)), float(rng.uniform(40, 85))
            thickness = float(rng.uniform(0.5, 1.4))
            plane = band(trunk.cavity, middle, span, depth * trunk.wall_mm, thickness)
            canvas.fill(plane, FAT_HU + 25, edge_mm=0.4, opacity=0.6)
    middle_mm = 0.5 * trunk.wall_mm
    linea_alba = band(trunk.cavity, 270, 7, middle_mm, 0.8 * trunk.wall_mm)
    canvas.fill(linea_alba, 5.0, edge_mm=1)
    for middle in (235, 305):
        gap = band(trunk.cavity, middle, 7, middle_mm, 0.6 * trunk.wall_mm)
        canvas.fill(gap, FAT_HU + 30)
    if ribs:
        paint_ribs(scene, 9)
    canvas.fill(trunk.cavity, FAT_HU, edge_mm=0.6, grain_hu=FAT_GRAIN)
    offer_fat_and_wall_sites(scene)


def _paint_psoas(scene: Scene, bulk: float) -> None:
    rng, hu, y = scene.rng, scene.hu, scene.trunk.vertebra_y_mm
    for side in (-1, 1):
        size = 15 * bulk * scene.patient.muscle
        centre = (side * (24 + size * 0.75), y + 5)
        psoas = blob(rng, centre, (size, size * 1.2), side * 20, 0.05)
        scene.canvas.fill(psoas, hu.muscle, edge_mm=0.6, grain_hu=(4, 7, 4))
        flank = blob(rng, (side * 56, y + 25), (20, 10), side * 12, 0.06)
        scene.canvas.fill(flank, hu.muscle, edge_mm=0.5, grain_hu=(4, 8, 4))
        scene.offer("psoas", Site(centre, 12.0, 0.0, hu.muscle))


def _finish_lumbar_spine(scene: Scene) -> None:
    scene.canvas.fill(ellipse((0, scene.trunk.vertebra_y_mm + 8), (30, 22)), FAT_HU + 40, edge_mm=3)
    paint_back_muscles(scene, 30.0, 19.0)
    paint_vertebra(scene, (22.5, 16.5))
