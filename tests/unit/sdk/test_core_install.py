"""What ``pip install lesiongan`` brings is enough for client and command line."""

import subprocess
import sys

#: The core install has httpx, pydantic, rich and typer, and what these need; none of the rest.
BLOCKED = """
import sys

class Blocker:
    names = {
        "PIL", "alembic", "celery", "cv2", "fastapi", "minio", "numpy", "pandas", "psycopg",
        "pyarrow", "pydantic_settings", "pydicom", "redis", "safetensors", "scipy", "sklearn",
        "sqlalchemy", "starlette", "torch", "torchvision", "uvicorn", "services", "deploy",
        "shared",
    }

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False
    )


def test_client_and_command_line_need_nothing_else() -> None:
    done = run("from lesiongan import AsyncClient, Client\nimport lesiongan.cli\nprint(Client)")
    assert done.returncode == 0, done.stderr
    assert "lesiongan.client.client.Client" in done.stdout


def test_every_module_of_the_core_is_imported() -> None:
    code = """
import pkgutil, importlib, lesiongan
known = {"lesiongan.arrays.images", "lesiongan.arrays.torch_images"}
for module in pkgutil.walk_packages(lesiongan.__path__, "lesiongan."):
    if module.name not in known:
        importlib.import_module(module.name)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_arrays_say_what_they_need() -> None:
    code = """
from lesiongan.arrays import read_images, torch_dataset
from lesiongan.errors import MissingExtra
for load in (read_images, torch_dataset):
    try:
        load("x.zip")
    except MissingExtra as error:
        assert isinstance(error, ImportError)
        print(error, "->", error.hint)
"""
    done = run(code)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == (
        "this needs NumPy and Pillow: there is no numpy -> pip install 'lesiongan[arrays]'"
    )
    assert second.startswith("this needs PyTorch, NumPy and Pillow: there is no torch")
