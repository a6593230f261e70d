"""A seeded, procedural CT phantom in DeepLesion's on-disk format: a demo without a download.

Nobody was scanned for it. It has the anatomy, textures, windows and annotations that the rest of
the pipeline meets in the real data set, and no figure on it is a figure on real lesions.
"""

from services.preprocessing.domain.phantom.writer import PhantomSummary, write_phantoms

__all__ = ["PhantomSummary", "write_phantoms"]
