"""What the client can do, the command line can: each operation is called by some command."""

import re
from pathlib import Path

from lesiongan import cli
from tests.unit.sdk.test_operations import Flows, resources

#: Programs want these; people have `datasets download`, and `experiments report` in a file.
FOR_PROGRAMS = {"datasets.to_numpy", "datasets.to_torch_dataset", "experiments.report_html"}


def test_every_operation_has_a_command() -> None:
    source = "".join(path.read_text() for path in Path(cli.__file__).parent.glob("*.py"))
    called = set(re.findall(r"client\.((?:\w+\.)?\w+)\(", source))
    root, *groups = resources()
    names = {vars_name: group for vars_name, group in vars(root).items() if group in groups}
    wanted = {name.partition(".")[2] for name, _ in Flows(root).each()} | {
        f"{prefix}.{name.partition('.')[2]}"
        for prefix, group in names.items()
        for name, _ in Flows(group).each()
    }
    missing = wanted - called - FOR_PROGRAMS
    assert not missing, f"no command calls {sorted(missing)}"
