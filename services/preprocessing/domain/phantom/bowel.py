"""Bowel loops: wall, and what fills them."""

import numpy as np

from services.preprocessing.domain.phantom.contours import (
    Point,
    above_level,
    blob,
    ellipse,
    shrunk,
    tube,
)
from services.preprocessing.domain.phantom.scene import Scene, Site
from services.preprocessing.domain.phantom.tissues import BOWEL_GAS_HU, FAT_HU, WATER_HU

#: A box in cavity coordinates: u0, v0, u1, v1.
Region = tuple[float, float, float, float]


def paint_small_bowel(scene: Scene, region: Region, count: int) -> None:
    """Loops scattered in the box ``region`` (u0, v0, u1, v1 in cavity coordinates).

    Between them the mesentery: fat with small vessels, and sites for mesenteric nodes.
    """
    rng, trunk = scene.rng, scene.trunk
    _paint_mesenteric_vessels(scene, region, 40)
    taken: list[tuple[Point, float]] = []
    for _ in range(count * 6):
        radius = float(rng.uniform(8.5, 15.5))
        centre = trunk.at(*_within(rng, region))
        if all(_apart(centre, c) > 0.83 * (radius + r) for c, r in taken):
            taken.append((centre, radius))
            paint_loop(scene, centre, radius)
        if len(taken) >= count:
            break
    _offer_mesentery(scene, region, taken)


def _offer_mesentery(scene: Scene, region: Region, taken: list[tuple[Point, float]]) -> None:
    rng = scene.rng
    found = 0
    for _ in range(60):
        at = scene.trunk.at(*_within(rng, region))
        room = min((_apart(at, c) - r for c, r in taken), default=20.0)
        if room > 3.5 and found < 6:
            scene.offer("mesentery", Site(at, room + 5, rng.uniform(0, 180), FAT_HU))
            found += 1
    for centre, radius in taken[:4]:
        scene.offer("bowel", Site(centre, radius + 4, rng.uniform(0, 180), 40.0))
    if not found:
        at = scene.trunk.at(0.5 * (region[0] + region[2]), 0.5 * (region[1] + region[3]))
        scene.offer("mesentery", Site(at, 10.0, 0.0, FAT_HU))


def paint_loop(scene: Scene, centre: Point, radius_mm: float) -> None:
    """One loop of small bowel: collapsed, with fluid, with oral contrast, seldom with gas."""
    rng, canvas, hu = scene.rng, scene.canvas, scene.hu
    stretch = float(rng.uniform(1.0, 1.7))
    radii = (radius_mm * stretch, radius_mm / stretch**0.5)
    outer = blob(rng, centre, radii, float(rng.uniform(0, 180)), 0.09)
    canvas.fill(outer, hu.bowel_wall, edge_mm=0.6, grain_hu=(4.0, 8.0, 4.0))
    inner = shrunk(outer, float(rng.uniform(0.66, 0.82)))
    filling = rng.random()
    if filling < 0.35:
        canvas.fill(shrunk(outer, 0.5), hu.bowel_wall - 22, edge_mm=2.0, grain_hu=(4, 12, 0))
    elif filling < 0.55 or not scene.study.oral_contrast:
        canvas.fill(inner, WATER_HU + 12, edge_mm=1.0, grain_hu=(3, 7, 5))
    else:
        level = float(rng.uniform(180, 460))
        canvas.fill(inner, level, edge_mm=1.0, grain_hu=(14.0, 40.0, 30.0))
    if rng.random() < 0.16:
        gas = above_level(shrunk(outer, 0.7), centre[1] - float(rng.uniform(-0.2, 0.4)) * radius_mm)
        canvas.fill(gas, BOWEL_GAS_HU, edge_mm=0.5)


def paint_colon(scene: Scene, centre: Point, radius_mm: float) -> None:
    """A cut of colon: haustra, mottled faeces with gas, or air over a level."""
    rng, canvas, hu = scene.rng, scene.canvas, scene.hu
    outer = blob(rng, centre, (radius_mm, radius_mm * float(rng.uniform(0.8, 1.2))), 0, 0.13)
    canvas.fill(outer, hu.bowel_wall - 12, edge_mm=0.5, grain_hu=(3, 6, 0))
    inner = shrunk(outer, 1 - 2.6 / radius_mm)
    if rng.random() < 0.4:
        canvas.fill(inner, 30.0, edge_mm=0.6, grain_hu=(8, 18, 0))
        level = centre[1] + float(rng.uniform(-0.3, 0.9)) * radius_mm
        canvas.fill(above_level(shrunk(inner, 0.96), level), BOWEL_GAS_HU, edge_mm=0.5)
        return
    dense = 240.0 if scene.study.oral_contrast and rng.random() < 0.4 else 35.0
    canvas.fill(inner, dense, edge_mm=0.6, grain_hu=(30.0, 75.0, 30.0))
    bubbles = []
    for _ in range(int(radius_mm * 0.7)):
        at = np.asarray(centre) + rng.normal(0, 0.36 * radius_mm, 2)
        size = float(rng.uniform(0.7, 2.2))
        bubbles.append(ellipse((float(at[0]), float(at[1])), (size, size * 0.8), 0, 10))
    canvas.fill_all(bubbles, -620.0, edge_mm=0.5, inside=canvas.mask(inner))


def _paint_mesenteric_vessels(scene: Scene, region: Region, count: int) -> None:
    rng, trunk = scene.rng, scene.trunk
    cuts = []
    for _ in range(count):
        at = trunk.at(*_within(rng, region))
        if rng.random() < 0.6:
            radii = (float(rng.uniform(0.8, 2.2)), float(rng.uniform(0.8, 2.0)))
            cuts.append(ellipse(at, radii, 0, 14))
        else:
            start = np.asarray(at)
            line = np.stack([start, start + rng.normal(0, 6, 2), start + rng.normal(0, 11, 2)])
            cuts.append(tube(line, np.array([2.2, 1.6, 0.7])))
    scene.canvas.fill_all(cuts, 0.8 * scene.hu.vein, edge_mm=0.5)


def _within(rng: np.random.Generator, region: Region) -> Point:
    return float(rng.uniform(region[0], region[2])), float(rng.uniform(region[1], region[3]))


def _apart(a: Point, b: Point) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))
