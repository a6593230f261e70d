"""The decoder's process: what it may do, and what becomes of a frame that brings it down."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless

from services.preprocessing.domain.dicom import decoder as module
from services.preprocessing.domain.dicom.decoder import MAX_CRASHES, Decoder
from services.preprocessing.domain.dicom.decoder_process import decoded
from services.preprocessing.domain.dicom.decoder_protocol import About
from services.preprocessing.domain.dicom.pixel_format import PixelFormat
from services.preprocessing.domain.png import UnreadableImage
from shared.errors import BadInput
from tests.unit.preprocessing.dicom import codestreams

FORM = PixelFormat(
    rows=16,
    columns=16,
    bits_allocated=16,
    bits_stored=16,
    high_bit=15,
    is_signed=False,
    padding=None,
)
STREAM = codestreams.JPEG_2000


def decode(decoder: Decoder) -> Any:
    return decoder.decode(STREAM, JPEG2000Lossless, FORM)


def process(decoder: Decoder) -> subprocess.Popen[bytes]:
    assert decoder._process is not None
    return decoder._process


def test_one_process_decodes_all_frames_and_ends_with_the_reading() -> None:
    with Decoder() as decoder:
        assert decoder._process is None, "nothing is started before it is needed"
        assert np.array_equal(decode(decoder), codestreams.picture())
        first = process(decoder)
        decode(decoder)
        assert process(decoder) is first
    assert first.returncode is not None


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL, signal.SIGPROF])
def test_a_crash_costs_one_frame(how: signal.Signals) -> None:
    with Decoder() as decoder:
        decode(decoder)
        os.kill(process(decoder).pid, how)
        process(decoder).wait()
        with pytest.raises(UnreadableImage, match="cannot be decompressed"):
            decode(decoder)
        assert np.array_equal(decode(decoder), codestreams.picture())


def test_too_many_crashes_fail_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROCESS", "tests.unit.preprocessing.dicom.crashing")
    with Decoder() as decoder:
        for _ in range(MAX_CRASHES):
            with pytest.raises(UnreadableImage):
                decode(decoder)
        with pytest.raises(BadInput, match="the source is damaged"):
            decode(decoder)


def test_a_decoder_that_is_not_installed_is_no_fault_of_the_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PROCESS", "this")
    with Decoder() as decoder, pytest.raises(RuntimeError, match="does not start"):
        decode(decoder)


def test_the_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONGAN_SECRET", "secret")
    with Decoder() as decoder:
        decode(decoder)
        environment = Path(f"/proc/{process(decoder).pid}/environ").read_bytes()
    assert b"PYTHONPATH" in environment
    assert b"secret" not in environment


def test_the_process_is_bounded() -> None:
    with Decoder() as decoder:
        decode(decoder)
        lines = Path(f"/proc/{process(decoder).pid}/limits").read_text().splitlines()
    limits = {line[:26].strip(): line[26:].split() for line in lines}
    assert limits["Max file size"][:2] == ["0", "0"]
    assert limits["Max core file size"][:2] == ["0", "0"]
    assert int(limits["Max address space"][0]) < 4 << 30


def test_what_is_not_as_asked_is_no_answer() -> None:
    about = About(
        syntax=JPEG2000Lossless,
        rows=16,
        columns=16,
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=0,
    )
    assert decoded(STREAM, about) == codestreams.picture().tobytes()
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever a decoder raises
        decoded(STREAM, {**about, "rows": 15})


def test_the_process_ends_when_nobody_asks_any_more() -> None:
    done = subprocess.run(
        [sys.executable, "-m", module._PROCESS], input=b"", capture_output=True, check=True
    )
    assert done.stdout == b"ready\n"
