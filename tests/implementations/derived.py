"""Implementations made from the rules themselves: `paper`, and every named variant by its number.

They prove that the audit knows a method when it meets it, not that the method is the paper's.
"""

from dataclasses import replace

import numpy as np

from derivations.evaluate import FLOAT, evaluate
from derivations.method import ADAFACTOR, machine_epsilon
from derivations.variants import VARIANTS

WILD = replace(FLOAT, errors="ignore")


def of_method(method):
    """A builder that evaluates the method's rules in float64; it can jump, as it is slow."""

    def build(params, **hyperparameters):
        X = [param.copy() for param in params]
        states = [{} for _ in X]
        times = [0] * len(X)

        def step(grads):
            for k, G in enumerate(grads):
                if G is not None:
                    times[k] += 1
                    X[k] = _moved(method, times[k], X[k], G, states[k], hyperparameters)
            return [x.copy() for x in X]

        def jump(t):
            times[:] = [t - 1] * len(times)

        step.jump = jump
        return step

    return build


def _moved(method, t, X, G, state, hyperparameters):
    """X_new, not finite where the rule has no value; the state is replaced."""
    layout = method.layout(X.shape)
    rule, dtype = layout.rule, X.dtype
    x = {"X": layout.arranged(X).astype(float), "G": layout.arranged(G).astype(float)}
    sizes = dict(zip(rule.shape(rule.inputs[0]), x["X"].shape, strict=True))
    for quantity in rule.inputs:
        if quantity.becomes and quantity.name not in x:
            shape = [sizes[size] for size in rule.shape(quantity)]
            x[quantity.name] = state.get(quantity.name, np.zeros(shape))
        elif quantity.default is not None:
            default = quantity.default.subs(machine_epsilon, np.finfo(dtype).eps)
            x[quantity.name] = hyperparameters.get(quantity.name, float(default))
    schedule = evaluate(method.schedule, {"t": t})
    x |= {name: schedule[name] for name in ("rho", "beta_2")}
    values = evaluate(rule, x, WILD)
    state |= {q.name: values[q.becomes] for q in rule.inputs if q.becomes}
    return layout.restored(values["X_new"]).astype(dtype)


def __getattr__(name):
    """`paper`, or `variant_3`: a builder that a name of text can reach."""
    kind, _, number = name.partition("_")
    if name == "paper":
        return of_method(ADAFACTOR)
    if kind == "variant" and number.isdigit() and int(number) < len(VARIANTS):
        return of_method(VARIANTS[int(number)])
    raise AttributeError(f"module {__name__} has no attribute {name}")
