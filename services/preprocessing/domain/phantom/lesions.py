"""Lesions: where each category grows, its size, and what it looks like."""

from collections.abc import Callable

import numpy as np

from lesiongan.contracts.categories import Category
from services.preprocessing.domain.phantom.contours import (
    Contour,
    Point,
    blob,
    ellipse,
    shrunk,
    tube,
)
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.scene import Scene, Site
from services.preprocessing.domain.phantom.tissues import FAT_HU, WATER_HU

#: Kinds of sites: what only this category has, then what a neighbour could claim too.
_SITES: dict[Category, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "bone": (("vertebra", "iliac"), ("rib",)),
    "abdomen": (
        ("retroperitoneum", "pancreas", "upper"),
        ("mesentery", "bowel", "perirenal", "perihepatic"),
    ),
    "mediastinum": (("mediastinum",), ("hilum", "paravertebral", "juxtamediastinal")),
    "liver": (("liver",), ("perihepatic", "liver")),
    "lung": (("lung",), ("pleura", "hilum", "juxtamediastinal")),
    "kidney": (("kidney",), ("perirenal", "kidney")),
    "soft_tissue": (("fat", "wall", "armpit"), ("gluteal", "back_muscle", "groin", "psoas", "rib")),
    "pelvis": (("pelvis", "bladder"), ("mesentery", "groin", "bowel")),
}

#: Median radius in mm, and the spread of its logarithm: DeepLesion's, a little narrowed so that
#: most lesions fit a 64 mm crop.
_RADIUS_MM: dict[Category, tuple[float, float]] = {
    "bone": (8.0, 0.4),
    "abdomen": (9.5, 0.4),
    "mediastinum": (8.5, 0.35),
    "liver": (9.5, 0.5),
    "lung": (6.0, 0.5),
    "kidney": (10.0, 0.42),
    "soft_tissue": (10.0, 0.4),
    "pelvis": (10.0, 0.42),
}


def choose_site(
    rng: np.random.Generator, scene: Scene, category: Category, difficulty: Difficulty
) -> Site:
    """Take one of the sites that the level offers ``category``: the next lesion grows elsewhere."""
    own, borderline = _SITES[category]
    is_own = rng.random() >= difficulty.borderline_share
    for kinds in (own, borderline) if is_own else (borderline, own):
        present = [kind for kind in kinds if scene.sites.get(kind)]
        if present:
            sites = scene.sites[present[int(rng.integers(len(present)))]]
            return sites.pop(int(rng.integers(len(sites))))
    raise LookupError(f"This level offers no site for {category}.")


def paint_lesion(
    rng: np.random.Generator, scene: Scene, category: Category, difficulty: Difficulty
) -> Contour:
    """Grow one lesion and return its outline in mm."""
    site = choose_site(rng, scene, category, difficulty)
    median, spread = _RADIUS_MM[category]
    radius = float(np.clip(median * np.exp(rng.normal(0, spread)), 2.6, 1.35 * site.room_mm))
    radius = min(radius, 26.0)
    stretch = float(rng.uniform(1.0, 1.35))
    turn = site.angle_deg + float(rng.normal(0, 20))
    radii = (radius * stretch, radius / stretch)
    contour = blob(rng, site.centre, radii, turn, _ROUGHNESS[category])
    _PAINTERS[category](rng, scene, site, contour, difficulty.lesion_contrast)
    return contour


_ROUGHNESS: dict[Category, float] = {
    "bone": 0.1,
    "abdomen": 0.09,
    "mediastinum": 0.08,
    "liver": 0.07,
    "lung": 0.11,
    "kidney": 0.05,
    "soft_tissue": 0.08,
    "pelvis": 0.07,
}


def _toward(background_hu: float, lesion_hu: float, contrast: float) -> float:
    """``lesion_hu`` with its difference from the background scaled, never less than 14 HU."""
    difference = (lesion_hu - background_hu) * contrast
    if abs(difference) < 14:
        difference = -14.0 if difference < 0 else 14.0
    return background_hu + difference


def _paint_liver(
    rng: np.random.Generator, scene: Scene, site: Site, contour: Contour, contrast: float
) -> None:
    """Cyst, hypodense metastasis with a rim, or a hypervascular nodule."""
    fill, inside, background = scene.canvas.fill, site.inside, site.background_hu
    kind = rng.random()
    if kind < 0.18:
        fill(contour, WATER_HU, edge_mm=0.7, grain_hu=(2, 2, 0), inside=inside)
    elif kind < 0.32 and scene.study.phase in ("arterial", "portal"):
        bright = _toward(background, background + 48, contrast)
        fill(contour, bright, edge_mm=1.4, grain_hu=(4, 8, 4), inside=inside)
        if rng.random() < 0.4:
            fill(shrunk(contour, 0.45), background, edge_mm=1.8, inside=inside)
    else:
        dark = _toward(background, background - float(rng.uniform(32, 60)), contrast)
        if rng.random() < 0.5:
            rim = _toward(background, background + 26, contrast)
            fill(shrunk(contour, 1.14), rim, edge_mm=1.4, opacity=0.7, inside=inside)
        fill(contour, dark, edge_mm=1.8, grain_hu=(3, 7, 4), inside=inside)
        if rng.random() < 0.45:
            fill(shrunk(contour, 0.5), dark - 16 * contrast, edge_mm=2.0, inside=inside)


def _paint_lung(
    rng: np.random.Generator, scene: Scene, site: Site, contour: Contour, contrast: float
) -> None:
    """Solid, spiculated, part-solid or cavitating nodule."""
    fill, inside = scene.canvas.fill, site.inside
    kind = rng.random()
    solid = float(rng.uniform(15, 60))
    if kind < 0.14:
        glass = min(-320.0, -720.0 + 190.0 * contrast)
        fill(contour, glass, edge_mm=1.4, grain_hu=(20, 45, 10), inside=inside)
        fill(shrunk(contour, 0.5), 25.0, edge_mm=1.2, inside=inside)
        return
    if kind < 0.6:
        spicules = _spicules(rng, contour)
        scene.canvas.fill_all(spicules, -240.0, edge_mm=0.6, opacity=0.8, inside=inside)
    fill(contour, solid, edge_mm=0.8, grain_hu=(4, 14, 6), inside=inside)
    if kind > 0.88:
        fill(shrunk(contour, 0.55), -820.0, edge_mm=1.0, inside=inside)


def _spicules(rng: np.random.Generator, contour: Contour) -> list[Contour]:
    centre = contour.mean(0)
    rays = []
    for index in rng.integers(0, len(contour), int(rng.integers(8, 18))):
        rim = contour[index]
        tip = rim + (rim - centre) * float(rng.uniform(0.2, 0.65))
        rays.append(tube(np.stack([centre, rim, tip]), np.array([3.0, 1.8, 0.4])))
    return rays


def _paint_bone(
    rng: np.random.Generator, scene: Scene, site: Site, contour: Contour, contrast: float
) -> None:
    """Lytic (soft tissue in place of bone), sclerotic, or mixed."""
    fill = scene.canvas.fill
    kind = rng.random()
    marrow = site.background_hu
    if kind < 0.5:
        if rng.random() < 0.4:
            fill(shrunk(contour, 1.16), _toward(marrow, marrow + 240, contrast), edge_mm=0.9)
        fill(contour, _toward(marrow, 45.0, min(contrast, 1.0)), edge_mm=1.0, grain_hu=(8, 18, 6))
    elif kind < 0.82:
        dense = _toward(marrow, marrow + float(rng.uniform(300, 560)), contrast)
        fill(contour, dense, edge_mm=1.6, grain_hu=(30, 70, 30))
    else:
        fill(contour, _toward(marrow, 55.0, min(contrast, 1.0)), edge_mm=1.2, grain_hu=(20, 60, 20))
        for _ in range(4):
            at = contour.mean(0) + rng.normal(0, 0.3, 2) * np.ptp(contour, axis=0)
            speck = blob(rng, (float(at[0]), float(at[1])), (2.2, 1.6), 0, 0.15, 20)
            fill(speck, marrow + 420.0, edge_mm=0.9)


def _paint_kidney(
    rng: np.random.Generator, scene: Scene, site: Site, contour: Contour, contrast: float
) -> None:
    """Cyst, solid mass with necrosis, or (seldom) a fatty angiomyolipoma."""
    fill, cortex = scene.canvas.fill, site.background_hu
    kind = rng.random()
    if kind < 0.45:
        fill(shrunk(contour, 1.05), 45.0, edge_mm=0.6)
        fill(contour, WATER_HU + float(rng.uniform(0, 14)), edge_mm=0.6, grain_hu=(2, 2, 2))
    elif kind < 0.92:
        enhancing = _toward(cortex, 0.45 * cortex + 35, min(contrast, 1.1))
        fill(contour, enhancing, edge_mm=1.2, grain_hu=(6, 17, 10))
        if rng.random() < 0.5:
            middle = contour.mean(0) + rng.normal(0, 0.1, 2) * np.ptp(contour, axis=0)
            size = 0.2 * float(np.ptp(contour[:, 0]))
            necrosis = blob(rng, (float(middle[0]), float(middle[1])), (size, size * 0.8), 0, 0.2)
            fill(necrosis, enhancing - 34 * contrast, edge_mm=1.6)
    else:
        fill(contour, -45.0, edge_mm=0.8, grain_hu=(8, 26, 8))


def _paint_node(
    rng: np.random.Generator, scene: Scene, site: Site, contour: Contour, contrast: float
) -> None:
    """An enlarged lymph node or implant: homogeneous, necrotic, or a matted pair."""
    fill, inside = scene.canvas.fill, site.inside
    node_hu = scene.hu.node + float(rng.normal(0, 9))
    if abs(node_hu - site.background_hu) < 20:
        node_hu = _toward(site.background_hu, site.background_hu - 24, contrast)
    if rng.random() < 0.3:
        size = float(np.ptp(contour, axis=0).min())
        beside = contour.mean(0) + 0.42 * size * _direction(rng)
        twin = blob(rng, _point(beside), (0.3 * size, 0.26 * size), 0, 0.1)
        fill(twin, node_hu - 4, edge_mm=0.7, grain_hu=(3, 6, 3), inside=inside)
    fill(contour, node_hu, edge_mm=0.7, grain_hu=(3, 6, 4), inside=inside)
    if rng.random() < 0.28:
        core_hu = node_hu - 26 * contrast
        fill(shrunk(contour, 0.55), core_hu, edge_mm=1.6, grain_hu=(2, 5, 0), inside=inside)


def _paint_pelvis(
    rng: np.random.Generator, scene: Scene, site: Site, contour: Contour, contrast: float
) -> None:
    """A node, an adnexal cyst with a septum, or a solid mass."""
    kind = rng.random()
    fill = scene.canvas.fill
    if kind < 0.5:
        _paint_node(rng, scene, site, contour, contrast)
    elif kind < 0.78:
        fill(shrunk(contour, 1.04), 52.0, edge_mm=0.6)
        fill(shrunk(contour, 0.9), WATER_HU + 8, edge_mm=0.7, grain_hu=(2, 3, 2))
        if rng.random() < 0.5:
            ends = contour[[0, len(contour) // 2]]
            septum = np.stack([ends[0], contour.mean(0), ends[1]])
            fill(tube(septum, np.array([1.4, 1.2, 1.4])), 50.0, edge_mm=0.4)
    else:
        mass = _toward(site.background_hu, scene.hu.muscle + 22, 1.0)
        fill(contour, mass, edge_mm=0.9, grain_hu=(5, 15, 9))


def _paint_soft_tissue(
    rng: np.random.Generator, scene: Scene, site: Site, contour: Contour, contrast: float
) -> None:
    """A nodule in fat, or in muscle a mass that is darker, or bright at its rim."""
    fill, background = scene.canvas.fill, site.background_hu
    if background == FAT_HU:
        fill(contour, 20 + 30 * rng.random(), edge_mm=0.9, grain_hu=(4, 10, 4))
        for index in rng.integers(0, len(contour), 5):
            out = contour[index] + (contour[index] - contour.mean(0)) * 0.4
            strand = tube(np.stack([contour.mean(0), out]), np.array([2.0, 0.5]))
            fill(strand, -20.0, edge_mm=0.8, opacity=0.6)
        return
    sign = 1.0 if rng.random() < 0.35 else -1.0
    mass = _toward(background, background + sign * float(rng.uniform(24, 40)), contrast)
    if rng.random() < 0.5:
        fill(shrunk(contour, 1.1), _toward(background, background + 26, contrast), edge_mm=1.2)
    fill(contour, mass, edge_mm=1.2, grain_hu=(4, 11, 6))
    if rng.random() < 0.3:
        fill(ellipse(_point(contour.mean(0)), (3, 2)), 10.0, edge_mm=1.4)


def _direction(rng: np.random.Generator) -> Contour:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _point(at: Contour) -> Point:
    return (float(at[0]), float(at[1]))


_Painter = Callable[[np.random.Generator, Scene, Site, Contour, float], None]
_PAINTERS: dict[Category, _Painter] = {
    "bone": _paint_bone,
    "abdomen": _paint_node,
    "mediastinum": _paint_node,
    "liver": _paint_liver,
    "lung": _paint_lung,
    "kidney": _paint_kidney,
    "soft_tissue": _paint_soft_tissue,
    "pelvis": _paint_pelvis,
}
