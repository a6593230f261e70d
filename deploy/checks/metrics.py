"""The table of metrics in docs/operations.md: ``python -m deploy.checks.metrics`` prints it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.metrics import MetricWrapperBase

from shared.db.engine import Sessions
from shared.observability import metrics
from shared.observability.devices import DeviceCollector
from shared.web.metering.ledger import LedgerCollector


@dataclass(frozen=True)
class Exposed:
    """One metric as Prometheus sees it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    documentation: str

    @property
    def series(self) -> frozenset[str]:
        """The names that queries may use."""
        if self.kind == "histogram":
            return frozenset(f"{self.name}_{end}" for end in ("bucket", "count", "sum"))
        return frozenset({self.name})


def exposed() -> list[Exposed]:
    """Every metric of ours, in the order of the code."""
    counted = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    ledger = LedgerCollector(Sessions(), lambda: None)
    return [*map(_counted, counted), *_asked(ledger), *_asked(DeviceCollector())]


def table() -> str:
    """As Markdown."""
    rows = [
        f"| `{each.name}` | {each.kind} | {', '.join(each.labels)} | {each.documentation} |"
        for each in exposed()
    ]
    return "\n".join(["| metric | type | labels | |", "|---|---|---|---|", *rows])


def _counted(metric: MetricWrapperBase) -> Exposed:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return Exposed(name, family.type, metric._labelnames, family.documentation)  # noqa: SLF001


def _asked(collector: LedgerCollector | DeviceCollector) -> Iterator[Exposed]:
    for family in collector.describe():
        labels = tuple(getattr(family, "_labelnames", ()))
        yield Exposed(family.name, family.type, labels, family.documentation)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
