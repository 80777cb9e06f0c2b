"""The short names of implementations that an audit knows, and what a name stands for."""

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Adapter(NamedTuple):
    """A module in `adapters` with a `build`, what that builds, and what it needs.

    `extra` is the extra of this package that installs the library; a library that cannot live
    beside the others lies in a `folder` of its own, as `make audit-peers` puts it there.
    """

    module: str
    what: str
    extra: str | None = None
    folder: str | None = None


ADAPTERS = {
    "numba": Adapter("ours", "this package"),
    "torch": Adapter("torch", "torch.optim.Adafactor with its own defaults", "torch"),
    "torch-foreach": Adapter("torch_foreach", "the same with foreach=True", "torch"),
    "torch-eps1": Adapter("torch_eps1", "the same with the paper's epsilon_1", "torch"),
    "transformers": Adapter(
        "transformers", "transformers.Adafactor with its relative step", "transformers"
    ),
    "optax": Adapter("optax", "optax.adafactor with its own defaults", "optax"),
    "optax-factored": Adapter(
        "optax_factored", "optax's parts by hand: matrices of any size are factored", "optax"
    ),
    "keras-jax": Adapter("keras_jax", "keras.optimizers.Adafactor on JAX", "keras"),
    "keras-torch": Adapter("keras_torch", "keras.optimizers.Adafactor on PyTorch", "keras"),
    "timm": Adapter("timm", "timm.optim.Adafactor", "torch", "timm-1.0.31"),
    "timm-bigvision": Adapter(
        "timm_bigvision", "timm.optim.AdafactorBigVision", "torch", "timm-1.0.31"
    ),
    "pytorch_optimizer": Adapter(
        "pytorch_optimizer", "pytorch_optimizer.AdaFactor", "pytorch_optimizer"
    ),
    "pytorch_optimizer-3.9.0": Adapter(
        "pytorch_optimizer", "the same, older", "torch", "pytorch_optimizer-3.9.0"
    ),
    "torch_optimizer-0.3.0": Adapter(
        "torch_optimizer", "torch_optimizer.Adafactor", "torch", "torch_optimizer-0.3.0"
    ),
    "mlx": Adapter("mlx", "mlx.optimizers.Adafactor on the CPU", "mlx"),
    "came": Adapter("came", "came_pytorch.CAME, another algorithm", "came"),
    "galore": Adapter(
        "galore", "GaLore's Adafactor without its projection", "transformers", "galore_torch-1.0"
    ),
}

NOT_RUN = {
    "tensor2tensor 1.15.7, the authors' own": "it imports tensorflow_addons, which has ended",
    "mesh-tensorflow 0.1.21": "it imports TensorFlow, 1.5 GB as installed",
    "Trax 1.4.1": "it imports TensorFlow and tensorflow_datasets",
    "Flax before 0.6": "it imports jax.linear_util, which JAX no longer has",
    "T5X, big_vision, kohya's sd-scripts, OneTrainer": "they are not released as packages",
    "MindSpore 2.10.0": "its wheel has 800 MB",
    "burn": "it is written in Rust",
}
"""Others that are known, and why there is no adapter."""


def target(name: str) -> str:
    """`module:builder` behind a name; a name with a colon stands for itself."""
    module, _, builder = name.partition(":")
    if module.endswith(".py") or {*module} & {*"/\\"}:
        raise ValueError(
            f"{name}: name a module, {_module(module)}:{builder or 'build'}, not a file"
        )
    if ":" in name:
        return name
    if name not in ADAPTERS:
        close = ", ".join(_close(name, ADAPTERS))
        raise ValueError(
            f"no implementation is called {name!r}; {f'did you mean {close}? ' if close else ''}"
            f"--list has all that are known; your own is named package.module:builder"
        )
    return f"adafactor_numba.audit.adapters.{ADAPTERS[name].module}:build"


def paths(name: str) -> tuple[str, ...]:
    """The folders to import from before all others."""
    folder = ADAPTERS[name].folder if name in ADAPTERS else None
    return (str(Path(sys.prefix, "peers", folder)),) if folder else ()


def remedy(name: str, why: str) -> str:
    """`why` an implementation cannot run, and what installs it if its library is absent."""
    if name not in ADAPTERS or not why.startswith("ModuleNotFoundError"):
        return why
    extra, folder = ADAPTERS[name].extra, ADAPTERS[name].folder
    if folder or not extra:
        return f"{why}; make audit-peers installs it"
    return f"{why}; pip install '.[{extra}]' or make audit-peers installs it"


def near(name: str, names: Iterable[str]) -> str:
    """The known names, those near to `name` alone if there are any."""
    known = list(names)
    return ", ".join(_close(name, known) or known)


def _close(name: str, names: Iterable[str]) -> list[str]:
    """The known names that are near, at most three."""
    return difflib.get_close_matches(name, [*names], n=3, cutoff=0.5)


def _module(file: str) -> str:
    """The module in a file, as it is imported from the current directory, or from its own."""
    path = PurePosixPath(file.replace("\\", "/").removesuffix(".py"))
    return path.name if path.is_absolute() or ".." in path.parts else ".".join(path.parts)
