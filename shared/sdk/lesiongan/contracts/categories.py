"""The eight lesion categories of DeepLesion, and their codes.

Source: Yan et al., "DeepLesion: automated mining of large-scale lesion annotations and universal
lesion detection with deep learning", J. Med. Imaging 5(3), 2018; column ``Coarse_lesion_type``.
"""

from typing import Literal, get_args

Category = Literal[
    "bone", "abdomen", "mediastinum", "liver", "lung", "kidney", "soft_tissue", "pelvis"
]

#: In the order of DeepLesion's codes: ``CATEGORIES[code - 1]``.
CATEGORIES: tuple[Category, ...] = get_args(Category)

#: DeepLesion's code of each category, 1 to 8. Unlabelled lesions have the code -1 there.
CODES: dict[Category, int] = {category: code for code, category in enumerate(CATEGORIES, start=1)}

#: How an unlabelled image is counted beside the eight categories.
UNLABELLED = "unlabelled"

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

#: How an image without a split is counted beside the three.
UNSPLIT = "unsplit"
