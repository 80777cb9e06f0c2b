"""Laws that need no reference: what a rule's moves say of each other and of the gradients."""

from dataclasses import dataclass

from .asking import MATRICES, VECTOR, Ask, Change, decade, flipped, larger, rolled, under
from .moves import same_bits
from .questions import (
    SMALL,
    against,
    batch,
    bounded,
    finite,
    independent,
    proportional,
    still,
)


@dataclass(frozen=True)
class Law:
    """A law: its name, what it says in the paper's letters, and how it is asked."""

    name: str
    says: str
    ask: Ask


_TRANSPOSED = Change(lambda A: A.T, lambda A: A.T, lambda A: A.T)
_AS_ROW = Change(lambda A: A[None], lambda A: A[None], lambda A: A[0])
_FLIPPED = Change(G=flipped, back=flipped)
_POWERS = (larger(1), larger(3), larger(-3))

LAWS: tuple[Law, ...] = (
    Law(
        "transposition",
        "the step for G^T and X^T is the step for G and X, transposed",
        under(_TRANSPOSED, shapes=MATRICES),
    ),
    Law(
        "permutation",
        "if rows or columns of G and X change places, those of X_new do",
        under(rolled(0), rolled(-1)),
    ),
    Law(
        "scale",
        "X_new is the same if every G is multiplied by s",
        under(*map(decade, range(-8, 9)), shapes=SMALL, X=(0.0,)),
    ),
    Law(
        "bounded",
        "RMS(X_new - X) is at most what it is for |G| = 1 always (d = 1), however G grows",
        bounded,
    ),
    Law(
        "parameter scale",
        "X_new doubles exactly if X, far above epsilon_2, is doubled; X = 0 moves",
        proportional,
    ),
    Law("zero gradient", "X_new = X where G = 0, at first and later", still),
    Law("descent", "every entry with G != 0 moves against its G", against),
    Law(
        "batch",
        "from X = 0, matrices side by side move as each alone, times one factor; their G are "
        "2^k times each other with rows or columns in another order",
        batch,
    ),
    Law(
        "powers of two",
        "X_new is the same to the bit if every G, far above sqrt(epsilon_1), is multiplied by 2^k",
        under(*_POWERS, compared=same_bits),
    ),
    Law(
        "signs",
        "for X = 0, if the sign of an entry of G changes, that of the same entry of X_new does",
        under(_FLIPPED, compared=same_bits, X=(0.0,)),
    ),
    Law(
        "finite",
        "X_new is finite for zero G, zero rows or columns, one entry, and |G| from 1e-15 to 1e15",
        finite,
    ),
    Law(
        "one row",
        "a matrix of one row moves as the vector does",
        under(_AS_ROW, shapes=VECTOR),
    ),
    Law("independence", "X_new of one parameter is the same without the others", independent),
    Law(
        "repetition",
        "X_new is the same if all is done again",
        under(Change(), compared=same_bits),
    ),
)
