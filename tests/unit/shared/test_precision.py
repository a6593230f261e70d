import pytest
import torch

from shared.compute.precision import Precision, choose_precision, reproducible
from shared.errors import BadInput


def test_choice_keeps_what_is_given() -> None:
    precision = choose_precision(device="cpu", dtype_name="float32", threads=3)
    assert precision == Precision(device="cpu", dtype_name="float32", threads=3)


def test_choice_is_bfloat16_only_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for capabilities, expected in (
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx512_bf16": True}, "bfloat16"),
        ({"avx512_f": True, "avx512_bf16": False}, "float32"),
        ({}, "float32"),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=capabilities: found)
        assert choose_precision(device="cpu").dtype_name == expected


def test_record_names_what_bytes_depend_on() -> None:
    record = Precision(device="cpu", dtype_name="float32", threads=2).record()
    assert record["threads"] == 2
    assert record["torch"] == str(torch.__version__)
    assert record["device_class"].startswith("cpu-")
    assert record["device_class"].endswith("-float32")


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadInput, match="GPU"):
        choose_precision(device="cuda")


def test_nonsense_is_refused() -> None:
    with pytest.raises(BadInput):
        Precision(device="cpu", dtype_name="float16", threads=1)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        Precision(device="cpu", dtype_name="float32", threads=0)


def test_reproducible_settings_hold_within_and_end_after_an_error() -> None:
    precision = Precision(device="cpu", dtype_name="float32", threads=1)
    threads = torch.get_num_threads()
    within: list[tuple[int, bool]] = []

    def fail() -> None:
        with reproducible(precision):
            within.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert within == [(1, True)]
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
