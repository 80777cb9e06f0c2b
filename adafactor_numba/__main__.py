"""`python -m adafactor_numba` is the command `adafactor-numba`."""

from adafactor_numba.cli import main

if __name__ == "__main__":
    main()
