"""Arrays by their address, so that one compiled call can work on any number of them."""

from typing import Any

from numba import carray, types  # type: ignore[attr-defined]
from numba.extending import intrinsic, overload
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray


def _pointer(context: Any, address: Any, like: Any) -> Any:
    """The address, an integer, as a pointer to entries of the type of `like`."""
    del context
    kind: Any = types.CPointer(like.dtype)  # type: ignore[no-untyped-call]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        return builder.inttoptr(arguments[0], context.get_value_type(kind))

    return kind(types.int64, like), generate


pointer: Any = intrinsic(_pointer)


def array(address: int, form: tuple[int, int, int], strides: Any, like: NDArray[Any]) -> Any:
    """The array of three axes that lies there; one that is contiguous, if `like` is."""
    raise NotImplementedError("compiled loops only know what lies at an address")


@overload(array, strict=False)
def _array(address: Any, form: Any, strides: Any, like: Any) -> Any:
    if like.layout == "C":
        return lambda address, form, strides, like: carray(pointer(address, like), form)

    def strided(address: Any, form: Any, strides: Any, like: Any) -> Any:
        start = carray(pointer(address, like), (1,))
        return as_strided(start, form, (strides[0], strides[1], strides[2]))

    return strided
