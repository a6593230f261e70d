"""The counts of a run, as a person reads them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.asking import Answered
from tests.chaos.client import Tally
from tests.chaos.kills import Blow
from tests.chaos.rows import Rows


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What happened."""

    rows: Rows
    answered: Mapping[int, Answered]
    blows: Sequence[Blow]
    missed: int
    dropped: int
    tally: Tally
    setbacks: Mapping[str, int]
    retried: Mapping[str, int]
    orphans: int
    left: int
    objects: int
    remade: int
    seconds: Mapping[str, float]


def lines(counts: Counts) -> Iterator[str]:
    """The table."""
    yield "jobs by kind and end"
    ends = Counter((row.kind, row.status) for row in counts.rows.jobs.values())
    for kind in sorted({kind for kind, _ in ends}):
        of_kind = ", ".join(f"{n} {end}" for (one, end), n in sorted(ends.items()) if one == kind)
        yield f"  {kind:20} {of_kind}"
    yield f"  {'all':20} {len(counts.rows.jobs)} rows for {len(counts.answered)} asks"
    yield _row("kills by target", Counter(blow.kill.target for blow in counts.blows))
    yield (
        f"kills: {len(counts.blows)} dealt, {counts.missed} found nothing to hit, "
        f"{counts.dropped} came too late"
    )
    attempts = Counter(row.attempts for row in counts.rows.jobs.values())
    yield _row("attempts a job", {str(n): attempts[n] for n in sorted(attempts)})
    yield _row("attempts put back", counts.setbacks)
    yield _row("given up and retried", counts.retried)
    yield f"duplicates avoided: {_duplicates(counts)}"
    yield f"longest recovery: {_recovery(counts.blows)}"
    yield (
        f"objects: {counts.objects} named by rows, {counts.orphans} orphans before the "
        f"collection, {counts.left} after it"
    )
    yield f"made again undisturbed and compared: {counts.remade}"
    yield _row("seconds", {name: round(value, 1) for name, value in counts.seconds.items()})


def _row(what: str, counted: Mapping[str, object]) -> str:
    return f"{what}: " + (", ".join(f"{name} {n}" for name, n in counted.items()) or "none")


def _duplicates(counts: Counts) -> str:
    twice = sum(known.ask.twice for known in counts.answered.values())
    repeats = sum(known.ask.repeats is not None for known in counts.answered.values())
    streams = [known.streams for known in counts.answered.values() if known.ask.streamed]
    return (
        f"{twice} asks sent twice at once, {counts.tally.resent} sent again after a failure, "
        f"{counts.tally.replayed} answered with the job that was there, {repeats} asks for the "
        f"same data set, {sum(streams) - len(streams)} streams that broke"
    )


def _recovery(blows: Sequence[Blow]) -> str:
    longest: dict[str, float] = {}
    for blow in blows:
        took = None if blow.recovered_at is None else blow.recovered_at - blow.fell_at
        target = blow.kill.target
        longest[target] = max(longest.get(target, 0.0), -1.0 if took is None else took)
    ordered = sorted(longest.items(), key=lambda each: -each[1])
    return ", ".join(f"{target} {seconds:.1f} s" for target, seconds in ordered)
