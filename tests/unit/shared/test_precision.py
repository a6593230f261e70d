from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from shared.compute.precision import (
    Precision,
    choose_precision,
    random_kept,
    reproducible,
    reproducible_on_gpu,
)
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


@pytest.fixture
def current(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which GPU is the current one: the last of them."""
    devices = ["cuda:0"]

    @contextmanager
    def device(name: str) -> Iterator[None]:
        devices.append(name)
        yield
        devices.pop()

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device", device)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return devices


def _tf32() -> tuple[bool, bool]:
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


def test_on_a_gpu_it_is_the_current_one_and_float32_is_float32(current: list[str]) -> None:
    before = _tf32()
    for within in (
        reproducible(Precision(device="cuda:1", dtype_name="bfloat16", threads=1)),
        reproducible_on_gpu("cuda:1"),
    ):
        with within:
            assert current == ["cuda:0", "cuda:1"]
            assert _tf32() == (False, False)
            assert torch.are_deterministic_algorithms_enabled()
        assert (current, _tf32()) == (["cuda:0"], before)


def test_a_cpu_stays_as_it_is_set() -> None:
    threads = torch.get_num_threads()
    with reproducible_on_gpu("cpu"):
        assert not torch.are_deterministic_algorithms_enabled()
        assert (torch.get_num_threads(), torch.backends.cudnn.allow_tf32) == (threads, True)


def test_a_gpu_that_only_emulates_bfloat16_computes_in_float32(
    monkeypatch: pytest.MonkeyPatch, current: list[str]
) -> None:
    def multiplies(*, including_emulation: bool) -> bool:
        return including_emulation or current[-1] == "cuda:1"

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", multiplies)
    names = [choose_precision(device=f"cuda:{n}").dtype_name for n in (0, 1)]
    assert names == ["float32", "bfloat16"]


def test_random_numbers_go_on_as_if_none_had_been_drawn() -> None:
    torch.manual_seed(0)
    with random_kept("cpu"):
        torch.manual_seed(1)
    after = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(torch.rand(3), after)


def test_only_the_gpu_that_computes_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[torch.device] = []

    def state(device: torch.device) -> torch.Tensor:
        begun.append(device)
        return torch.empty(0)

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state", state)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda *_: None)
    for device in ("cpu", "cuda:1"):
        with random_kept(device):
            pass
    assert begun == [torch.device("cuda:1")]
