"""Functions turned into machine code on their first call, and kept beside Python's own compiled files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Return a function over numbers and arrays as machine code."""
    return _compiled(function)


def released(function: Function) -> Function:
    """Return a `compiled` function that lets other threads go on meanwhile: for work that is shared out."""
    return _compiled(function, nogil=True)


def inner(function: Function) -> Function:
    """Return a function that only compiled ones call: made in less time, as Python cannot call it."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)


def _compiled(function: Function, **options: Any) -> Function:
    try:
        return cast(Function, njit(cache=True, error_model="numpy", **options)(function))
    except RuntimeError:  # no folder to keep it in that may be written: made anew in each process
        return cast(Function, njit(error_model="numpy", **options)(function))
