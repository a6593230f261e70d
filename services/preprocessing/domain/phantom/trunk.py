"""What every level has: table, skin, fat, muscle wall, spine and ribs."""

import numpy as np

from services.preprocessing.domain.phantom.contours import (
    Contour,
    Point,
    band,
    blob,
    ellipse,
    grown,
    placed,
    shrunk,
    smooth_closed,
    trunk_outline,
    tube,
)
from services.preprocessing.domain.phantom.scene import Scene, Site
from services.preprocessing.domain.phantom.tissues import FAT_HU

MUSCLE_GRAIN = (4.0, 7.0, 5.0)
FAT_GRAIN = (3.0, 6.0, 4.0)


def paint_table(scene: Scene) -> None:
    """The couch: one or two thin shells under the patient, flat or curved."""
    rng, canvas = scene.rng, scene.canvas
    back = float(scene.trunk.skin[:, 1].max())
    curvature = float(rng.choice([0.0, 0.0009, 0.0016]))
    half = float(rng.uniform(150, 260))
    x = np.linspace(-half, half, 40)
    top = back + float(rng.uniform(4, 12))
    for drop, hu in ((0.0, -150.0), (float(rng.uniform(18, 40)), 120.0)):
        line = np.stack([x, top + drop - curvature * x**2 * (1 if drop == 0 else 0.95)], 1)
        if curvature:
            line[:, 1] = np.maximum(line[:, 1], back - 90)
        canvas.fill(tube(line, np.full(x.size, 2.2)), hu)
    mattress = np.stack([x, top - 3 - curvature * x**2], 1)
    canvas.fill(tube(mattress, np.full(x.size, 5.0)), -890.0)


def paint_wall(scene: Scene) -> None:
    """Skin, subcutaneous fat with its septa, and the muscular wall around an empty cavity."""
    canvas, trunk, rng = scene.canvas, scene.trunk, scene.rng
    canvas.fill(trunk.skin, 15.0, grain_hu=(6.0, 8.0, 0.0))
    canvas.fill(grown(trunk.skin, -2.0), FAT_HU, grain_hu=FAT_GRAIN)
    _paint_septa(scene)
    canvas.fill(grown(trunk.muscle, 0.8), -30.0, opacity=0.5)
    canvas.fill(trunk.muscle, scene.hu.muscle, grain_hu=MUSCLE_GRAIN)
    for side in (0, 180):
        for _ in range(3):
            at = float(side + rng.uniform(-85, 85))
            plane = band(
                trunk.cavity,
                at,
                float(rng.uniform(14, 45)),
                trunk.wall_mm * float(rng.uniform(0.2, 0.85)),
                float(rng.uniform(0.6, 1.6)),
            )
            canvas.fill(plane, FAT_HU + 25, edge_mm=0.4, opacity=0.6)


def _paint_septa(scene: Scene) -> None:
    fat_mm = scene.patient.fat_mm
    for _ in range(int(6 + fat_mm / 2)):
        depth = float(scene.rng.uniform(0.1, 0.85)) * fat_mm
        lens = band(
            scene.trunk.muscle,
            float(scene.rng.uniform(0, 360)),
            float(scene.rng.uniform(4, 26)),
            depth,
            float(scene.rng.uniform(0.5, 1.3)),
        )
        scene.canvas.fill(lens, -20.0, opacity=0.35)


def offer_fat_and_wall_sites(scene: Scene, *, avoid_spine: bool = True) -> None:
    """Sites in the subcutaneous fat and in the muscles of the wall."""
    trunk, rng = scene.trunk, scene.rng
    thickness = np.linalg.norm(trunk.skin - trunk.muscle, axis=1)
    for at in rng.uniform(0, 360, 10):
        index = int(at) % 360
        if avoid_spine and abs(index - 90) < 14:
            continue
        middle = 0.5 * (trunk.skin[index] + trunk.muscle[index])
        room = float(max(4.0, 0.42 * thickness[index]))
        angle = -_tangent_deg(trunk.muscle, index)
        scene.offer("fat", Site((float(middle[0]), float(middle[1])), room, angle, FAT_HU))
        wall = 0.5 * (trunk.cavity[index] + trunk.muscle[index])
        scene.offer("wall", Site((float(wall[0]), float(wall[1])), 14.0, angle, scene.hu.muscle))


def _tangent_deg(outline: Contour, index: int) -> float:
    step = outline[(index + 2) % 360] - outline[index - 2]
    return float(np.rad2deg(np.arctan2(step[1], step[0])))


def paint_bone(scene: Scene, contour: Contour, cortex_mm: float, marrow_hu: float) -> None:
    """A bone: a cortical shell of ``cortex_mm`` around textured marrow."""
    hu = scene.hu
    scene.canvas.fill(contour, hu.cortical, grain_hu=(40.0, 50.0, 0.0))
    radius = float(np.sqrt(max(1.0, np.ptp(contour[:, 0]) * np.ptp(contour[:, 1])) / 4))
    factor = max(0.2, 1.0 - cortex_mm / radius)
    scene.canvas.fill(shrunk(contour, factor), marrow_hu, edge_mm=0.6, grain_hu=(42.0, 26.0, 12.0))


def paint_ribs(scene: Scene, count: int) -> None:
    """Oblique cuts of ribs in the wall, and a site in each."""
    rng, trunk = scene.rng, scene.trunk
    turn = float(rng.uniform(0, 360 / count))
    for k in range(count):
        at = (turn + 360 * k / count + float(rng.normal(0, 4))) % 360
        if abs(at - 270) < 20 or abs(at - 90) < 17:
            continue
        thickness = float(rng.uniform(6.5, 9.0))
        rib = band(trunk.cavity, at, float(rng.uniform(7, 17)), 0.42 * trunk.wall_mm, thickness)
        scene.canvas.fill(grown_lens(rib, 1.15), FAT_HU + 60, opacity=0.5)
        scene.canvas.fill(rib, scene.hu.cortical, grain_hu=(40.0, 60.0, 0.0))
        inner = grown_lens(rib, 0.62)
        scene.canvas.fill(inner, scene.hu.trabecular * 0.8, edge_mm=0.4, grain_hu=(35, 25, 0))
        middle = rib.mean(0)
        angle = -_tangent_deg(trunk.cavity, int(at))
        scene.offer(
            "rib", Site((float(middle[0]), float(middle[1])), 11.0, angle, scene.hu.trabecular)
        )


def grown_lens(lens: Contour, factor: float) -> Contour:
    """A band with its thickness scaled by ``factor`` and its ends moved in proportion."""
    half = len(lens) // 2
    outer, inner = lens[:half], lens[half:][::-1]
    middle = 0.5 * (outer + inner)
    trim = 1 if factor < 1 else 0
    keep = slice(trim, half - trim)
    upper = (middle + (outer - middle) * factor)[keep]
    lower = (middle + (inner - middle) * factor)[keep]
    return np.concatenate([upper, lower[::-1]])


def paint_back_muscles(scene: Scene, half_width_mm: float, top_mm: float) -> None:
    """Erector spinae on both sides of the spine from ``top_mm`` behind its middle, with clefts."""
    trunk, rng = scene.trunk, scene.rng
    back = float(trunk.muscle[90, 1])
    top = trunk.vertebra_y_mm + top_mm
    bed = trunk_outline(1.9 * half_width_mm, 0.5 * (back - top), 0.5 * (back - top), 2.8)
    bed = placed(bed, (0.0, 0.5 * (top + back) + 1))
    scene.canvas.fill(bed, scene.hu.muscle, edge_mm=1.0, grain_hu=MUSCLE_GRAIN)
    for side in (-1, 1):
        centre = (side * half_width_mm * 0.98, 0.5 * (top + back) + 1)
        bulk = blob(rng, centre, (half_width_mm, 0.46 * (back - top)), side * 16, 0.08)
        scene.canvas.fill(shrunk(bulk, 1.06), FAT_HU + 50, edge_mm=0.8, opacity=0.45)
        scene.canvas.fill(bulk, scene.hu.muscle, edge_mm=0.7, grain_hu=(5.0, 11.0, 6.0))
        for _ in range(3):
            start = np.asarray(centre) + rng.normal(0, 6, 2)
            line = np.stack([start, start + rng.normal(0, 6, 2), start + rng.normal(0, 11, 2)])
            scene.canvas.fill(tube(line, np.array([0.4, 1.8, 0.3])), FAT_HU + 35, opacity=0.8)
        scene.offer("back_muscle", Site(centre, 15.0, 0.0, scene.hu.muscle))


def paint_vertebra(scene: Scene, body_radii_mm: Point) -> None:
    """Body, canal, arch and processes; sites in the body and the arch."""
    rng, hu, y = scene.rng, scene.hu, scene.trunk.vertebra_y_mm
    width, depth = body_radii_mm
    marrow = hu.trabecular
    canal_y = y + depth + 8.5
    _paint_arch(scene, width, canal_y)
    body = smooth_closed(
        np.array([[-0.75, -0.75], [0, -1.0], [0.75, -0.75], [1.0, 0.1], [0.72, 0.85], [0, 0.72],
                  [-0.72, 0.85], [-1.0, 0.1]]) * (width, depth) + (0.0, y)
    )  # fmt: skip
    disc = rng.random() < 0.18
    paint_bone(scene, body, 1.5, 95.0 if disc else marrow)
    scene.canvas.fill(ellipse((0, y + 0.7 * depth), (3, 2)), marrow * 0.55, edge_mm=1.2)
    canal = ellipse((0, canal_y), (10.5, 8.0))
    scene.canvas.fill(canal, -25.0, edge_mm=0.5)
    scene.canvas.fill(ellipse((0, canal_y), (8.5, 6.4)), 25.0, edge_mm=0.7, grain_hu=(3, 4, 0))
    for dx, dy, room in ((-0.4, -0.1, 0.62), (0.4, 0.0, 0.62), (0.0, -0.2, 0.8)):
        scene.offer("vertebra", Site((dx * width, y + dy * depth), room * depth, 0.0, marrow))
    side = 1 if rng.random() < 0.5 else -1
    scene.offer("vertebra", Site((side * (width - 4), canal_y - 4), 9.0, 30.0 * side, marrow))


def _paint_arch(scene: Scene, width: float, canal_y: float) -> None:
    rng, hu = scene.rng, scene.hu
    spine_length = float(rng.uniform(20, 34))
    tilt = float(rng.normal(0, 2))
    spinous = np.array([[0, canal_y + 7], [tilt, canal_y + 7 + spine_length]])
    pieces = [tube(spinous, np.array([9.0, 6.0]))]
    for side in (-1, 1):
        pedicle = np.array([[side * (width - 7), canal_y - 12], [side * 15.5, canal_y + 2]])
        lamina = np.array([[side * 15, canal_y], [side * 8, canal_y + 9], [0, canal_y + 13]])
        reach = float(rng.uniform(16, 26))
        transverse = np.array(
            [[side * 14, canal_y + 1], [side * (14 + reach), canal_y + float(rng.uniform(0, 9))]]
        )
        pieces += [
            tube(pedicle, np.array([9.0, 9.5])),
            tube(lamina, np.array([10.0, 8.0, 7.0])),
            tube(transverse, np.array([10.0, 7.5])),
        ]
    scene.canvas.fill_all(pieces, hu.cortical * 0.95, edge_mm=0.3, grain_hu=(50.0, 60.0, 0.0))
    inner = [shrunk(piece, 0.66) for piece in pieces]
    scene.canvas.fill_all(inner, hu.trabecular * 1.2, edge_mm=0.8, grain_hu=(50.0, 30.0, 0.0))
    scene.offer("vertebra", Site((0.0, canal_y + 14), 8.0, 90.0, hu.trabecular))
