"""Implementations asked in this process, and what is seen of them: no process is started."""

import json
import warnings

import numpy as np

from adafactor_numba.audit.draw import Draw
from adafactor_numba.audit.scenarios import SCENARIOS
from adafactor_numba.audit.strand import strands
from adafactor_numba.audit.subject import Trace, question
from adafactor_numba.audit.wire import packed, unpacked
from adafactor_numba.audit.worker import able, taken, trace


class Here:
    """A subject in this process: what is sent and answered crosses the wire all the same."""

    def __init__(self, build):
        self.build, self.target = build, f"{build.__module__}:{build.__name__}"
        self.takes, self.can = tuple(taken(build)), tuple(able(build))
        self.lost = {}

    def run(self, run):
        asked = unpacked(json.loads(json.dumps(question(run))))
        with warnings.catch_warnings(action="ignore"):  # a process prints them where none reads
            answer = packed(trace(self.build, asked))
        return Trace(**unpacked(json.loads(json.dumps(answer))))


def asked(dtype, *scenarios):
    """The runs of these scenarios, of all that need no hyperparameter if none is named."""
    draws = [Draw(np.random.default_rng((0, number)), dtype) for number in range(len(SCENARIOS))]
    every = [run for s, draw in zip(SCENARIOS, draws, strict=True) for run in s(draw)]
    return [run for run in every if not scenarios or run.scenario in scenarios]


def seen(build, runs):
    """The strands of these runs of a builder."""
    subject = Here(build)
    return [s for run in runs for s in strands(run, subject.run(run))]
