"""A slice, and what a row of the table says of a lesion on it, become an image of the data set."""

from dataclasses import dataclass

from services.preprocessing.domain.boxes import clipped
from services.preprocessing.domain.dicom.lesions import Lesion
from services.preprocessing.domain.dicom.neighbours import Beside
from services.preprocessing.domain.dicom.pixel_format import PixelFormat
from services.preprocessing.domain.dicom.slices import Slice
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped, describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An image that is to be made. ``lesion`` is None without a table."""

    file: int
    frame: int  # from 1
    is_of_many: bool  # the file has other frames
    lesion: Lesion | None
    patient: str | None

    @property
    def row(self) -> int | None:
        return self.lesion.number if self.lesion else None

    @property
    def shown_frame(self) -> int | None:
        """Where there is but one, it needs no number."""
        return self.frame if self.is_of_many else None

    @property
    def source(self) -> str:
        """As the image's :attr:`RawImage.source` will be."""
        return describe(self.file, self.row, self.shown_frame)

    def skipped(self, reason: str) -> Skipped:
        where = f"frame {self.frame}: " if self.is_of_many else ""
        return Skipped(self.file, self.row, where + reason)

    def known(self, form: PixelFormat) -> Known:
        if self.lesion is None:
            return Known(box_clipped=False, noisy=False)
        box = self.lesion.box_px
        is_clipped = box is not None and clipped(box, form.columns, form.rows) != box
        return Known(box_clipped=is_clipped, noisy=self.lesion.noisy)

    def made(self, found: Slice, form: PixelFormat, beside: Beside) -> RawImage | Skipped:
        """``beside`` are the slices before and after, where they are wanted."""
        lesion = self.lesion
        given = lesion.box_px if lesion else None
        box = clipped(given, form.columns, form.rows) if given else None
        if given and not box:
            return self.skipped("the box lies outside the image")
        return RawImage(
            png=found.png,
            sha256=found.sha256,
            width=form.columns,
            height=form.rows,
            bit_depth=16 if found.unit == "hu16" else 8,
            unit=found.unit,
            category=lesion.category if lesion else None,
            patient=self.patient,
            split=lesion.split if lesion else None,
            spacing_mm=found.spacing_mm,
            box_px=box,
            box_clipped=box != given,
            window_hu=found.window_hu,
            noisy=lesion.noisy if lesion else False,
            file=self.file,
            row=self.row,
            frame=self.shown_frame,
            previous_png=beside[0],
            following_png=beside[1],
        )
