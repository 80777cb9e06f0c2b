"""A builder whose steps can be saved, and that goes on from what one of them saved."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any


class Builder:
    """A builder, with `load` beside it; called, it is the function it was made from."""

    def __init__(self, build: Callable[..., Any]) -> None:
        update_wrapper(self, build)
        self._build = build

    def __call__(self, params: list[Any], **options: Any) -> Any:
        return self._build(params, **options)

    def load(self, saved: dict[str, Any], **options: Any) -> Any:
        """A step that goes on from `saved`; `options` are those of the step that saved it."""
        step = self._build(saved["params"], **options)
        step.load(saved)
        return step
