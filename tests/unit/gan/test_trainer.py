"""What a training tells those who follow its job."""

from types import SimpleNamespace
from typing import Any, cast

from services.gan.settings import GanSettings
from services.gan.trainer import Trainer


def test_the_log_of_a_job_says_whether_its_steps_are_graphs() -> None:
    said: list[tuple[str, dict[str, Any]]] = []
    job = SimpleNamespace(
        event=lambda *event: said.append(event), should_stop=lambda: False, check_wanted=list
    )
    trainer = Trainer(cast("Any", job), cast("Any", None), "gan_1", GanSettings())
    calls = trainer.callbacks(cast("Any", None))
    calls.on_made("critic", None)
    calls.on_made("generator", "operation not permitted when stream is capturing")
    critic = "the critic's steps run as a CUDA graph"
    generator = (
        "the generator's steps run one kernel at a time, slower: "
        "operation not permitted when stream is capturing"
    )
    assert said == [
        ("log", {"level": "info", "message": critic}),
        ("log", {"level": "warning", "message": generator}),
    ]
