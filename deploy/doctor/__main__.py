"""``python -m deploy.doctor``: for containers, where the command line is not installed."""

import typer

from deploy.doctor.command import doctor

if __name__ == "__main__":
    typer.run(doctor)
