"""The wheel has the three packages, typed, and a step of its Adafactor is the one of the rule."""

import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

import adafactor_numba
import derivations
import proofs
from derivations.adafactor import MATRIX
from derivations.evaluate import EXACT, evaluate

PACKAGES = (adafactor_numba, derivations, proofs)
NAMES = {package.__name__ for package in PACKAGES}

files = zipfile.ZipFile(sys.argv[1]).namelist()
others = {top for top in (file.split("/")[0] for file in files) if not top.endswith(".dist-info")}
assert others == NAMES, f"the wheel has {others} at the top, wanted {NAMES}"
assert {f"{name}/py.typed" for name in NAMES} <= {*files}, "a py.typed is missing"
assert not [file for file in files if "__pycache__" in file], "the wheel has compiled files"
for package in PACKAGES:
    assert Path(package.__file__).is_relative_to(sys.prefix), f"{package.__file__} is a checkout"

# |G| = 1 and epsilon_1 = 3 make every V 4, so that every root is rational
X, G = np.array([[3.0, -3.0], [3.0, 3.0]]), np.array([[1.0, -1.0], [1.0, 1.0]])
rates = {"rho": Fraction(1, 64), "beta_2": Fraction(0)}
given = {"X": X, "G": G, "R_old": np.zeros(2), "C_old": np.zeros(2), "epsilon_1": Fraction(3)}
expected = evaluate(MATRIX, given | rates, EXACT)["X_new"]
adafactor_numba.Adafactor([X], rho=1 / 64, beta_2=0.0, epsilon_1=3.0).step([G])
assert (X == expected).all(), f"a step gives {X}, the rule {expected}"
