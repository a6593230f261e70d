"""The arms of an experiment: what a classifier is trained on."""

from typing import Literal, get_args

#: R: the real images. none = R; traditional = R + augmented; gan = R + synthetic; combined = all.
#: The rest are controls: see ``docs/study.md``.
Arm = Literal[
    "none",
    "traditional",
    "gan",
    "combined",
    "oversample",
    "class_weights",
    "distil",
    "pseudo_label",
    "tstr",
]
ARMS: tuple[Arm, ...] = get_args(Arm)
#: Those of the paper, which an experiment has unless it names others.
USUAL_ARMS: tuple[Arm, ...] = ARMS[:4]
#: Those that train on synthetic images.
WITH_GAN: frozenset[Arm] = frozenset({"gan", "combined", "tstr"})
