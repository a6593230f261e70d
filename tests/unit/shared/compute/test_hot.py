"""Models that stay loaded."""

from collections.abc import Callable

from shared.compute.hot import HotModels


def loading(loaded: list[str], name: str) -> Callable[[], str]:
    def load() -> str:
        loaded.append(name)
        return name

    return load


def test_loads_once_and_forgets_what_was_used_longest_ago() -> None:
    models, loaded = HotModels[str](), list[str]()
    for name in ("a", "b", "a", "c", "a", "b"):
        assert models.get(name, loading(loaded, name), at_most=2) == name
    assert loaded == ["a", "b", "c", "b"], "b was used longest ago when c came; a was not"
