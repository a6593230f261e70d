"""What the decoder's process and its client say to each other, through pipes.

Each request: the sizes of two parts, a JSON object that says what the frame is, and the compressed
frame. Each answer: whether it went well, and the size of the cells that follow: 16 bits each,
little-endian, row by row.
"""

import struct
from typing import Final, TypedDict

REQUEST: Final = struct.Struct("<II")
ANSWER: Final = struct.Struct("<?I")
SUCCEEDED: Final = True
FAILED: Final = False
#: Sent once, when requests can be answered.
READY: Final = b"ready\n"


class About(TypedDict):
    """Of a frame: its transfer syntax, and what the file's header says of it."""

    syntax: str
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
