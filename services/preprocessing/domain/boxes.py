"""Boxes around lesions, in pixels: x1, y1, x2, y2; pixel (0, 0) covers [0, 1) x [0, 1)."""

from services.preprocessing.domain.raw_images import Box


def clipped(box: Box, width: int, height: int) -> Box | None:
    """The part inside the image; None where there is none."""
    x1, y1, x2, y2 = box
    inside = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
    return inside if inside[0] < inside[2] and inside[1] < inside[3] else None
