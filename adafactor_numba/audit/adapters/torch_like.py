"""What optimizers of PyTorch's kind share: parameters with .grad, step(), state_dict()."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

Groups = Sequence[Sequence[int]] | None


def parameters(params: list[Any]) -> list[Any]:
    """A parameter of PyTorch for every array."""
    return [torch.nn.Parameter(tensor(param).clone()) for param in params]


def grouped(X: list[Any], groups: Groups) -> list[Any]:
    """The parameters as an optimizer takes them: all in one group, or in these."""
    return X if groups is None else [{"params": [X[k] for k in group]} for group in groups]


def tensor(A: np.ndarray) -> Any:
    """A tensor in the memory of A."""
    if A.dtype.name == "bfloat16":
        return torch.from_numpy(A.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(A)


def array(x: Any) -> np.ndarray:
    """A number or tensor as an array of its own; NumPy has bfloat16 from ml_dtypes only."""
    x = torch.as_tensor(x).detach()
    if x.dtype == torch.bfloat16:
        from ml_dtypes import bfloat16

        return np.array(x.contiguous().view(torch.uint16).numpy()).view(bfloat16)
    return np.array(x.numpy())


class Step:
    """A step of `optimizer` on X: gradients in, new parameters out.

    `lr` is a function of t for optimizers that leave the step size to their caller.
    """

    def __init__(self, X: list[Any], optimizer: Any, lr: Callable[[int], float] | None = None):
        self.X, self.optimizer, self.lr, self.t = X, optimizer, lr, 0

    def __call__(self, grads: list[Any]) -> list[np.ndarray]:
        self.t += 1
        for x, grad in zip(self.X, grads, strict=True):
            x.grad = None if grad is None else tensor(grad)  # shared: changes show
        for group in self.optimizer.param_groups if self.lr else ():
            group["lr"] = self.lr(self.t)  # type: ignore[misc]
        self.optimizer.step()
        return [array(x) for x in self.X]

    def save(self) -> dict[str, Any]:
        """The parameters and, as the bytes of its file, what the optimizer saves."""
        file = io.BytesIO()
        torch.save(self.optimizer.state_dict(), file)
        state = np.frombuffer(file.getvalue(), np.uint8).copy()
        return {"params": [array(x) for x in self.X], "optimizer": state, "t": self.t}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what was saved."""
        file = io.BytesIO(saved["optimizer"].tobytes())
        self.optimizer.load_state_dict(torch.load(file, weights_only=True))
        self.t = saved["t"]

    def state(self) -> list[dict[str, np.ndarray]]:
        """What is stored for each parameter, by the library's names."""
        return [{k: array(v) for k, v in self.optimizer.state[x].items()} for x in self.X]

    def jump(self, t: int) -> None:
        """Make the next step step t, from statistics of zero: one without gradients makes them."""
        X = [x.detach().clone() for x in self.X]
        self([np.zeros(x.shape, array(x).dtype) for x in self.X])
        self.t = t - 1
        for holder in (*self.optimizer.param_groups, *self.optimizer.state.values()):
            for name, old in holder.items():
                if name == "step":
                    holder[name] = torch.full_like(old, t - 1) if torch.is_tensor(old) else t - 1
                elif torch.is_tensor(old):
                    old.zero_()
        for x, before in zip(self.X, X, strict=True):
            x.data.copy_(before)
