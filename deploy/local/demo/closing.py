"""What the demo says at its end: what it made, how long it took, what to try next."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.local.demo.plan import Made
from lesiongan.cli.experiments import results_table


def print_closing(made: Made, key: str, console: Console, *, started: bool) -> None:
    """Steps and seconds, files, and commands to copy. ``started``: the stack is the demo's own."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("STEP")
    table.add_column("SECONDS", justify="right")
    table.add_column("MADE", overflow="fold")
    for timing in made.timings:
        table.add_row(timing.step, f"{timing.seconds:.1f}", Text(timing.made))
    total = sum(timing.seconds for timing in made.timings)
    table.add_row("Total", f"{total:.1f}", "", style="bold")
    console.print()
    console.print(table)
    console.print()
    console.print(results_table(made.experiment))
    console.print()
    console.print(Text(made.experiment.summary))
    console.print("\nLook at:", style="bold")
    for path in made.files:
        console.print(f"  {path}", markup=False)
    console.print("\nTry next:", style="bold")
    for command in commands(made, key):
        # No wrapping: the lines are there to be copied.
        console.print(f"  {command}", markup=False, soft_wrap=True)
    if started:
        console.print("\nThe stack stays up. Stop it with: lesiongan down  (or: make down)")


def commands(made: Made, key: str) -> list[str]:
    """Calls with the real address and key."""
    curl = f'curl -H "Authorization: Bearer {key}"'
    gan = "" if made.default else f"&gan={made.gan.id}"
    sheet = f"{made.url}/datasets/{made.preprocessed.id}/contact-sheet.png"
    return [
        f'{curl} -o liver.zip "{made.url}/generate?category=liver&n=500{gan}"',
        f'{curl} "{made.url}/gans/{made.gan.id}"',
        f'{curl} -o kidneys.png "{sheet}?category=kidney"',
        f'{curl} -F layout=deeplesion -F name=mine -F file=@yours.zip "{made.url}/datasets"',
        f'{curl} "{made.url}/experiments/{made.experiment.id}"',
        "lesiongan console --open   the console in a browser, signed in",
        f"open {made.url}/docs in a browser: every call, with its fields",
    ]
