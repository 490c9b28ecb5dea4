"""The random numbers of sltt-dist: Philox4x32-10 (Salmon et al., SC 2011), as
Sources/Tensors/Runtime/RandomStream.swift has it, so that another implementation sees the same samples."""

from collections.abc import Iterator

SAMPLE_ORDER, AUGMENTATION, TRAINED_TIMESTEPS = 2, 3, 5  # What numbers are for.
WORD = 0xFFFFFFFF


class RandomStream:
    """A stream for a seed, a purpose, an epoch or iteration, and what the purpose counts."""

    def __init__(self, seed: int, purpose: int, time: int = 0, index: int = 0):
        self.bits = blocks((seed & WORD, seed >> 32), (index, time, purpose))

    def uniform(self) -> float:
        """In [0, 1), with 24 bits."""
        return (next(self.bits) >> 8) * 2.0**-24

    def uniform_below(self, bound: int) -> int:
        """Lemire's method with 64 bits, which Swift has."""
        while True:
            low, high = next(self.bits), next(self.bits)
            product = (low | high << 32) * bound
            if product & (2**64 - 1) >= 2**64 % bound:
                return product >> 64

    def uniform_in(self, low: float, high: float) -> float:
        return low + (high - low) * self.uniform()

    def permutation(self, count: int) -> list[int]:
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.uniform_below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


def blocks(key: tuple[int, int], counter: tuple[int, int, int]) -> Iterator[int]:
    block = 0
    while True:
        yield from philox((block, *counter), key)
        block += 1


def philox(c, k):
    for _ in range(10):
        first, second = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = (
            second >> 32 ^ c[1] ^ k[0], second & WORD,
            first >> 32 ^ c[3] ^ k[1], first & WORD,
        )  # fmt: skip
        k = (k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD
    return c
