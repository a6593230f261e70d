"""Closed outlines of anatomy: float64 ``[N, 2]`` arrays of (x, y) in mm.

The frame is the image's: x grows to the image's right (the patient's left), y grows downwards
(posterior), the origin is the middle of the trunk. Angles are in degrees, 0 to the image's right,
90 posterior, so that an outline of 360 points is indexed by its angle.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Contour = NDArray[np.float64]
Point = tuple[float, float]

_POINTS_OF_OUTLINE = 360


def smooth_closed(control: Contour, points_per_span: int = 8) -> Contour:
    """The closed Catmull-Rom spline through ``control`` ``[K, 2]``, in order."""
    before, here = np.roll(control, 1, axis=0), control
    after, beyond = np.roll(control, -1, axis=0), np.roll(control, -2, axis=0)
    t = np.linspace(0.0, 1.0, points_per_span, endpoint=False)[None, :, None]
    spline = 0.5 * (
        2 * here[:, None]
        + (after - before)[:, None] * t
        + (2 * before - 5 * here + 4 * after - beyond)[:, None] * t**2
        + (3 * here - before - 3 * after + beyond)[:, None] * t**3
    )
    return np.asarray(spline.reshape(-1, 2), dtype=np.float64)


def ellipse(centre: Point, radii: Point, angle_deg: float = 0.0, samples: int = 40) -> Contour:
    return placed(_unit_circle(samples) * np.asarray(radii), centre, angle_deg)


def blob(
    rng: np.random.Generator,
    centre: Point,
    radii: Point,
    angle_deg: float = 0.0,
    roughness: float = 0.06,
    samples: int = 56,
) -> Contour:
    """An ellipse whose radius wanders by about ``roughness``, with less power at finer waves."""
    wave = np.arange(2, 8)[:, None]
    amplitude = rng.normal(size=(6, 1)) * roughness * 1.6 / wave
    phase = rng.uniform(0, 2 * np.pi, size=(6, 1))
    waves = amplitude * np.cos(wave * _angles(samples) + phase)
    radius = np.clip(1.0 + waves.sum(0), 0.4, 1.8)
    flat = _unit_circle(samples) * np.asarray(radii) * radius[:, None]
    return placed(flat, centre, angle_deg)


@cache
def _angles(samples: int) -> NDArray[np.float64]:
    return np.linspace(0.0, 2 * np.pi, samples, endpoint=False)


@cache
def _unit_circle(samples: int) -> Contour:
    return np.stack([np.cos(_angles(samples)), np.sin(_angles(samples))], 1)


def placed(contour: Contour, centre: Point, angle_deg: float = 0.0) -> Contour:
    """``contour`` (around the origin) turned by ``angle_deg`` and moved to ``centre``."""
    angle = np.deg2rad(angle_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(contour @ turn + np.asarray(centre), dtype=np.float64)


def shrunk(contour: Contour, factor: float) -> Contour:
    """``contour`` scaled about its centroid."""
    centre = contour.mean(0)
    return np.asarray(centre + (contour - centre) * factor, dtype=np.float64)


def above_level(contour: Contour, level_y_mm: float) -> Contour:
    """The part of a loop that lies anterior of ``level_y_mm``: gas over a fluid level."""
    clipped = contour.copy()
    clipped[:, 1] = np.minimum(clipped[:, 1], level_y_mm)
    return clipped


def trunk_outline(
    half_width: float, anterior: float, posterior: float, squareness: float = 2.3
) -> Contour:
    """A superellipse ``[360, 2]`` with its own depth in front and behind."""
    theta = np.deg2rad(np.arange(_POINTS_OF_OUTLINE))
    cos, sin = np.cos(theta), np.sin(theta)
    power = 2.0 / squareness
    x = half_width * np.sign(cos) * np.abs(cos) ** power
    depth = np.where(sin > 0, posterior, anterior)
    y = depth * np.sign(sin) * np.abs(sin) ** power
    return np.stack([x, y], 1)


def bumps(
    angles_deg: list[float], heights_mm: list[float], width_deg: float
) -> NDArray[np.float64]:
    """A sum of Gaussian bumps round an outline, ``[360]`` in mm: folds, furrows, breasts."""
    at = np.arange(_POINTS_OF_OUTLINE)[None, :]
    away = (at - np.asarray(angles_deg)[:, None] + 180) % 360 - 180
    gaussians = np.exp(-0.5 * (away / width_deg) ** 2)
    return np.asarray((np.asarray(heights_mm)[:, None] * gaussians).sum(0), dtype=np.float64)


def outward_normals(outline: Contour) -> Contour:
    return _normal_of(np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0))


def _normal_of(tangent: Contour) -> Contour:
    length = np.sqrt(tangent[:, 0] ** 2 + tangent[:, 1] ** 2) + 1e-9
    return np.asarray(tangent[:, ::-1] * np.array([1.0, -1.0]) / length[:, None])


def grown(outline: Contour, by_mm: float | NDArray[np.float64]) -> Contour:
    """``outline`` moved outwards along its normals (inwards where negative)."""
    return np.asarray(outline + outward_normals(outline) * np.reshape(by_mm, (-1, 1)))


def band(
    outline: Contour, middle_deg: float, span_deg: float, depth_mm: float, thickness_mm: float
) -> Contour:
    """A lens along an outline ``[360, 2]``: a rib, a flat muscle, a fat plane.

    It lies ``depth_mm`` outside the outline (negative: inside) and tapers to both ends.
    """
    at = np.linspace(middle_deg - span_deg / 2, middle_deg + span_deg / 2, 18)
    index = np.round(at).astype(int) % _POINTS_OF_OUTLINE
    points = outline[index]
    normals = _normal_of(outline[(index + 1) % _POINTS_OF_OUTLINE] - outline[index - 1])
    half = 0.5 * thickness_mm * np.sqrt(np.sin(np.linspace(0.06, np.pi - 0.06, 18)))[:, None]
    outer, inner = points + normals * (depth_mm + half), points + normals * (depth_mm - half)
    return np.concatenate([outer, inner[::-1]])


def tube(centreline: Contour, widths_mm: NDArray[np.float64]) -> Contour:
    """The outline of a vessel along ``centreline`` ``[K, 2]`` with a width at each point."""
    tangent = np.empty_like(centreline)
    tangent[1:-1] = centreline[2:] - centreline[:-2]
    tangent[0], tangent[-1] = centreline[1] - centreline[0], centreline[-1] - centreline[-2]
    length = np.sqrt(tangent[:, 0] ** 2 + tangent[:, 1] ** 2) + 1e-9
    across = tangent[:, ::-1] * (np.array([-0.5, 0.5]) * (widths_mm / length)[:, None])
    return np.concatenate([centreline + across, (centreline - across)[::-1]])
