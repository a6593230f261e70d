"""One reading of a source's DICOM files: what each yields, and what is remembered between them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from lesiongan.contracts.categories import Split
from services.preprocessing.domain.dicom.admission import Images, read_images
from services.preprocessing.domain.dicom.decoder import Decoder
from services.preprocessing.domain.dicom.header import Header, read_header
from services.preprocessing.domain.dicom.lesions import Lesion, Lesions
from services.preprocessing.domain.dicom.neighbours import Beside, Neighbours
from services.preprocessing.domain.dicom.records import Entry
from services.preprocessing.domain.dicom.slices import Slice, read_slices
from services.preprocessing.domain.png import UnreadableImage
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped, describe
from shared.errors import BadInput

Item = RawImage | Known | Skipped


class Reading:
    """Remembers rows, UIDs and patients, never an image."""

    def __init__(
        self,
        lesions: Lesions | None,
        known: Collection[str],
        decoder: Decoder,
        neighbours: Neighbours | None = None,
    ) -> None:
        self._lesions = lesions
        self._known = known
        self._decoder = decoder
        self._neighbours = neighbours
        self._rows_found: set[int] = set()
        self._seen: set[int] = set()
        self._split_of_patient: dict[str, Split | None] = {}
        #: Images beyond the first, of files without a table.
        self.more_frames = 0

    def file(self, ordinal: int, content: bytes) -> Iterator[Item]:
        """The file's images, lesions of one frame side by side, and why some are left out."""
        try:
            header = read_header(content)
        except UnreadableImage as error:
            yield from self._left_out(ordinal, self._rows(ordinal, None), error.detail)
            return
        rows = self._rows(ordinal, header)
        if self._lesions is not None and not rows:
            return
        try:
            images = read_images(header)
            self._refuse_repeated(header)
        except UnreadableImage as error:
            yield from self._left_out(ordinal, rows, error.detail)
            return
        wrong, entries = _entries(ordinal, header, images, rows)
        if self._lesions is None:
            self.more_frames += len(entries) - 1
        yield from wrong
        for item in self._frames(header, images, entries):
            if not isinstance(item, Skipped):
                self._seen.add(hash(header.sop_instance))
            yield item

    def missing(self) -> Iterator[Skipped]:
        """Rows whose file did not come."""
        for row in self._lesions.rows if self._lesions else ():
            if row.number not in self._rows_found:
                yield Skipped(None, row.number, "the image is missing")

    def _rows(self, ordinal: int, header: Header | None) -> Sequence[Lesion]:
        """Rows that name the file and have not been found before."""
        if self._lesions is None:
            return ()
        rows = self._lesions.of(ordinal, header.sop_instance if header else None)
        rows = [row for row in rows if row.number not in self._rows_found]
        self._rows_found.update(row.number for row in rows)
        return rows

    def _left_out(self, ordinal: int, rows: Sequence[Lesion], reason: str) -> Iterator[Skipped]:
        for row in rows:
            yield Skipped(ordinal, row.number, reason)
        if not rows:
            yield Skipped(ordinal, None, reason)

    def _refuse_repeated(self, header: Header) -> None:
        """A UID names one image in the world. A table may name a file by its ordinal all the same.

        64 bits of each are kept: 250,000 files have two alike by a chance of one in a billion.
        """
        is_named = header.sop_instance is not None and self._lesions is None
        if is_named and hash(header.sop_instance) in self._seen:
            raise UnreadableImage("an earlier file holds the same image: its UID is the same")

    def _frames(
        self, header: Header, images: Images, entries: Mapping[int, Sequence[Entry]]
    ) -> Iterator[Item]:
        wanted = {
            number
            for number, group in entries.items()
            if any(entry.source not in self._known for entry in group)
        }
        slices = read_slices(header.parsed, images, wanted, self._decoder)
        for number in sorted(entries):
            group = entries[number]
            for entry in group:
                self._check_split(entry)
            try:
                found = next(slices)[1] if number in wanted else None
            except UnreadableImage as error:
                yield from _from_here_on(entries, number, error.detail)
                return
            beside: Beside = (None, None)
            if self._neighbours and isinstance(found, Slice):
                beside = self._neighbours.of(header, images, group[0].file, number, found)
            for entry in group:
                if found is None or entry.source in self._known:
                    yield entry.known(images.format)
                elif isinstance(found, UnreadableImage):
                    yield entry.skipped(found.detail)
                else:
                    yield entry.made(found, images.format, beside)

    def _check_split(self, entry: Entry) -> None:
        split = entry.lesion.split if entry.lesion else None
        if entry.patient is None:
            return
        if self._split_of_patient.setdefault(entry.patient, split) != split:
            where = describe(entry.file, entry.row)
            raise BadInput(f"{where}: the patient is in two splits; a patient belongs to one.")


def _entries(
    ordinal: int, header: Header, images: Images, rows: Sequence[Lesion]
) -> tuple[Sequence[Skipped], Mapping[int, Sequence[Entry]]]:
    """Rows that say something wrong of this file; and by frame, the images to make."""
    count = len(images.frames)
    wrong: list[Skipped] = []
    entries: dict[int, list[Entry]] = defaultdict(list)

    def add(frame: int, lesion: Lesion | None) -> None:
        patient = (lesion.patient if lesion else None) or header.patient
        entry = Entry(
            file=ordinal, frame=frame, is_of_many=count > 1, lesion=lesion, patient=patient
        )
        entries[frame].append(entry)

    for row in rows:
        fault = _fault(row, header, count)
        if fault is None:
            add(row.frame or 1, row)
        else:
            wrong.append(Skipped(ordinal, row.number, fault))
    if not rows:
        for number in range(1, count + 1):
            add(number, None)
    return wrong, entries


def _fault(row: Lesion, header: Header, count: int) -> str | None:
    if row.sop_instance is not None and row.sop_instance != header.sop_instance:
        return "the file is another one than sop_instance_uid says"
    if row.frame is None and count > 1:
        return f"the file holds {count} frames, and frame is blank"
    if row.frame is not None and row.frame > count:
        return f"frame must be at most {count}: the file holds no more"
    return None


def _from_here_on(
    entries: Mapping[int, Sequence[Entry]], number: int, reason: str
) -> Iterator[Skipped]:
    """Each row is reported; without a table, the first frame stands for all that follow it."""
    is_all = number == min(entries)
    for each in sorted(entries):
        for entry in entries[each] if each >= number else ():
            yield Skipped(entry.file, entry.row, reason) if is_all else entry.skipped(reason)
            if entry.lesion is None:
                return
