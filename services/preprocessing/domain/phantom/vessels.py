"""Vessels: round cuts with a wall, and branching trees."""

import numpy as np

from services.preprocessing.domain.phantom.contours import Contour, Point, blob, tube
from services.preprocessing.domain.phantom.scene import Scene

Branches = list[tuple[Contour, float]]


def paint_vessel(
    scene: Scene, centre: Point, radius_mm: float, hu: float, *, calcified: bool = False
) -> None:
    """A great vessel cut across: lumen, thin wall, and plaque in the old."""
    rng, canvas = scene.rng, scene.canvas
    angle = float(rng.uniform(0, 180))
    stretch = float(rng.uniform(0.92, 1.08))
    canvas.fill(blob(rng, centre, (radius_mm + 1.2, radius_mm + 1.2), 0, 0.02), 45.0, edge_mm=0.4)
    lumen = blob(rng, centre, (radius_mm * stretch, radius_mm / stretch), angle, 0.025)
    canvas.fill(lumen, hu, edge_mm=0.4, grain_hu=(3.0, 4.0, 4.0))
    if calcified and scene.study.age > 60 and rng.random() < 0.6:
        theta = float(rng.uniform(0, 2 * np.pi)) + np.linspace(0, float(rng.uniform(0.3, 0.9)), 5)
        arc = np.stack([np.cos(theta), np.sin(theta)], 1) * radius_mm + np.asarray(centre)
        canvas.fill(tube(arc, np.array([0.8, 1.8, 2.2, 1.6, 0.6])), 620.0)


def grow_tree(
    rng: np.random.Generator,
    root: Point,
    heading_deg: float,
    *,
    width_mm: float,
    length_mm: float,
    spread_deg: float = 36.0,
    thinnest_mm: float = 0.8,
    in_plane_share: float = 1.0,
) -> Branches:
    """Branches (outline, width in mm) of a tree that thins by about 0.76 at each fork.

    The ratio is Murray's law, r0^3 = r1^3 + r2^3, with a little asymmetry. An axial slice shows
    only the branches that run in it, ``in_plane_share`` of them: the others leave it.
    """
    branches: Branches = []
    open_ends = [(np.asarray(root, dtype=np.float64), heading_deg, width_mm, length_mm)]
    while open_ends:
        start, heading, width, length = open_ends.pop()
        if width < thinnest_mm:
            continue
        reach = length * float(rng.uniform(0.7, 1.2))
        bend = heading + float(rng.normal(0, 12))
        middle = start + 0.5 * reach * _unit(heading)
        end = middle + 0.5 * reach * _unit(bend)
        tip = width * 0.8
        if rng.random() < in_plane_share:
            widths = np.array([width, 0.5 * (width + tip), 0.6 * tip])
            branches.append((tube(np.stack([start, middle, end]), widths), width))
        for side in (-1, 1):
            turn = side * spread_deg * float(rng.uniform(0.4, 1.3))
            open_ends.append(
                (end, bend + turn, width * float(rng.uniform(0.62, 0.84)), length * 0.8)
            )
    return branches


def _unit(heading_deg: float) -> Contour:
    heading = np.deg2rad(heading_deg)
    return np.array([np.cos(heading), np.sin(heading)])
