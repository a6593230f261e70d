"""One number that makes the categories easier or harder to tell apart."""

from dataclasses import dataclass

from shared.errors import BadInput


@dataclass(frozen=True, slots=True)
class Difficulty:
    """What ``level`` (0 easy to 1 hard) does to the images. Every property is monotone in it.

    Hard is hard as in a clinic: lesions fade into their surroundings, sit where two body parts
    meet, are read in the neighbour's window, in noisy scans. No label is ever wrong.
    """

    level: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.level <= 1.0:
            raise BadInput(f"difficulty must lie between 0 and 1, not {self.level}.")

    @property
    def lesion_contrast(self) -> float:
        """Factor on the HU difference between a lesion and what it grows in."""
        return 1.35 - 0.95 * self.level

    @property
    def noise(self) -> float:
        """Factor on the scanner's noise."""
        return 0.65 + 0.7 * self.level

    @property
    def borderline_share(self) -> float:
        """The share of lesions at sites that another category could claim."""
        return min(1.0, 1.3 * self.level)

    @property
    def foreign_window_share(self) -> float:
        """The share of lesions read in a window that is not their category's usual one."""
        return 0.6 * self.level
