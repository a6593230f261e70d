"""Methods that are flows: blocking on a :class:`lesiongan.Client`, awaited on an ``AsyncClient``.

A resource writes each method once, as a generator of effects. ``@operation`` and ``@items`` hand
it to the resource's driver, and say to type checkers what comes of it there.
"""

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from lesiongan.client.driving import SyncDriver
from lesiongan.client.driving_async import AsyncDriver
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Flow, Item, Result, Stream

Given = ParamSpec("Given")


class Driver(Protocol):
    """What carries out flows; see :mod:`lesiongan.client.flow`."""

    def run(self, flow: Flow[Any]) -> Any: ...

    def each(self, stream: Stream[Any]) -> Any: ...


#: Which driver a resource has: that is all in which ``Client`` and ``AsyncClient`` differ.
Mode = TypeVar("Mode", bound=Driver)


class Resource(Generic[Mode]):
    """A group of operations on one server."""

    def __init__(self, driver: Mode, exchange: Exchange) -> None:
        self.driver = driver
        self.exchange = exchange


class operation(Generic[Given, Result]):  # noqa: N801 - a decorator
    """A method with one result: ``client.gans.get(…)``, ``await client.gans.get(…)``."""

    def __init__(self, flow: Callable[Concatenate[Any, Given], Flow[Result]]) -> None:
        self.flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, owner: None, kind: Any) -> Self: ...
    @overload
    def __get__(self, owner: Resource[SyncDriver], kind: Any) -> Callable[Given, Result]: ...
    @overload
    def __get__(
        self, owner: Resource[AsyncDriver], kind: Any
    ) -> Callable[Given, Coroutine[Any, Any, Result]]: ...
    def __get__(self, owner: Resource[Any] | None, kind: Any) -> Any:
        if owner is None:
            return self

        @functools.wraps(self.flow)
        def run(*args: Given.args, **options: Given.kwargs) -> Any:
            return owner.driver.run(self.flow(owner, *args, **options))

        return run


class items(Generic[Given, Item]):  # noqa: N801 - a decorator
    """A method with many results: ``for``, or ``async for``, over ``client.gans.list()``."""

    def __init__(self, stream: Callable[Concatenate[Any, Given], Stream[Item]]) -> None:
        self.stream = stream
        self.__doc__ = stream.__doc__

    @overload
    def __get__(self, owner: None, kind: Any) -> Self: ...
    @overload
    def __get__(
        self, owner: Resource[SyncDriver], kind: Any
    ) -> Callable[Given, Iterator[Item]]: ...
    @overload
    def __get__(
        self, owner: Resource[AsyncDriver], kind: Any
    ) -> Callable[Given, AsyncIterator[Item]]: ...
    def __get__(self, owner: Resource[Any] | None, kind: Any) -> Any:
        if owner is None:
            return self

        @functools.wraps(self.stream)
        def each(*args: Given.args, **options: Given.kwargs) -> Any:
            return owner.driver.each(self.stream(owner, *args, **options))

        return each
