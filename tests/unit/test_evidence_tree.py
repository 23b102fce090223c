"""The log's tree against published RFC 6962 vectors, against a second implementation, and the verifier against both."""

import hashlib
import random

import pytest

from services.compliance.documents.bundle import tile_path
from services.compliance.log import tree
from services.compliance.verifier import ophor_verify

LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZE = 37


# The second implementation: RFC 6962 §2.1 word for word, over the whole list of leaves, nothing stored.


def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


class Slow:
    """The second implementation over ranges of one list of leaves, so that no range is hashed twice."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves, self.known = leaves, {}

    def mth(self, start: int, end: int) -> bytes:
        if (start, end) not in self.known:
            k = start + split(end - start)
            several = end - start > 1
            self.known[start, end] = (
                hashlib.sha256(b"\1" + self.mth(start, k) + self.mth(k, end)).digest()
                if several else mth(self.leaves[start:end])
            )  # fmt: skip
        return self.known[start, end]

    def path(self, m: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        k = start + split(end - start)
        return [*self.path(m, start, k), self.mth(k, end)] if m < k else [*self.path(m, k, end), self.mth(start, k)]

    def subproof(self, m: int, start: int, end: int, whole: bool) -> list[bytes]:
        if m == end:
            return [] if whole else [self.mth(start, end)]
        k = start + split(end - start)
        if m <= k:
            return [*self.subproof(m, start, k, whole), self.mth(k, end)]
        return [*self.subproof(m, k, end, False), self.mth(start, k)]


def grow(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaves):
        nodes |= tree.appended(nodes, index, tree.leaf_hash(leaf))
    return nodes


@pytest.fixture(scope="module")
def many() -> list[bytes]:
    return [f"leaf {number}".encode() for number in range(SIZE)]


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_come_out(size: int) -> None:
    assert tree.root(grow(LEAVES[:size]), size).hex() == ROOTS[size]
    assert ophor_verify.root_of([tree.leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


def test_the_published_inclusion_proof_comes_out() -> None:
    assert [node.hex() for node in tree.inclusion(grow(LEAVES), 0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_the_published_consistency_proof_comes_out() -> None:
    assert [node.hex() for node in tree.consistency(grow(LEAVES), 6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_every_root_and_proof_is_the_second_implementation_s(many: list[bytes]) -> None:
    nodes = grow(many)
    for size in range(1, SIZE + 1):
        assert tree.root(nodes, size) == mth(many[:size])
        for index in range(size):
            assert tree.inclusion(nodes, index, size) == path(index, many[:size])
        for first in range(1, size + 1):
            assert tree.consistency(nodes, first, size) == subproof(first, many[:size], True)


def test_all_sizes_to_300_agree_in_every_root_and_proof() -> None:
    leaves = [f"leaf {number}".encode() for number in range(300)]
    nodes, slow = grow(leaves), Slow(leaves)
    assert tree.root({}, 0) == mth([]) == slow.mth(0, 0) == ophor_verify.root_of([])
    for size in range(1, 301):
        root = slow.mth(0, size)
        assert tree.root(nodes, size) == root == ophor_verify.root_of([nodes[0, index] for index in range(size)])
        for index in range(size):
            assert tree.inclusion(nodes, index, size) == slow.path(index, 0, size)
            assert tree.consistency(nodes, index + 1, size) == slow.subproof(index + 1, 0, size, True)


def test_large_trees_agree_at_random_and_the_verifier_accepts_their_proofs() -> None:
    dice = random.Random(6962)
    leaves = [number.to_bytes(4, "big") for number in range(20_000)]
    nodes, slow = grow(leaves), Slow(leaves)
    sizes = [*(dice.randrange(1, 20_001) for _ in range(150)), *(2**k + d for k in range(9, 15) for d in (-1, 0, 1))]
    for size in sizes:
        root, index, first = slow.mth(0, size), dice.randrange(size), dice.randrange(1, size + 1)
        proof, between = tree.inclusion(nodes, index, size), tree.consistency(nodes, first, size)
        assert tree.root(nodes, size) == root
        assert proof == slow.path(index, 0, size) and between == slow.subproof(first, 0, size, True)
        assert ophor_verify.included(nodes[0, index], index, size, proof, root)
        assert ophor_verify.consistent(first, size, (slow.mth(0, first), root), between)


def test_the_verifier_accepts_every_true_inclusion_and_no_other_place(many: list[bytes]) -> None:
    for size in range(1, SIZE + 1):
        root = mth(many[:size])
        for index in range(size):
            proof, leaf = path(index, many[:size]), ophor_verify.leaf_hash(many[index])
            assert ophor_verify.included(leaf, index, size, proof, root)
            assert not ophor_verify.included(leaf, index + 1, size, proof, root)
            assert not ophor_verify.included(leaf, index, size, [*proof, root], root)
            if proof:
                assert not ophor_verify.included(leaf, index, size, proof[:-1], root)
                assert not ophor_verify.included(leaf, index, size, [bytes(32), *proof[1:]], root)


def test_the_verifier_accepts_every_true_consistency_and_no_fork(many: list[bytes]) -> None:
    for second in range(1, SIZE + 1):
        for first in range(1, second + 1):
            proof, roots = subproof(first, many[:second], True), (mth(many[:first]), mth(many[:second]))
            assert ophor_verify.consistent(first, second, roots, proof)
            assert not ophor_verify.consistent(first, second, (bytes(32), roots[1]), proof)
            assert not ophor_verify.consistent(first, second, roots, [*proof, bytes(32)])
            if proof:
                assert not ophor_verify.consistent(first, second, roots, proof[:-1])


def test_a_proof_outside_the_tree_is_refused() -> None:
    for index, size in ((8, 8), (-1, 8)):
        with pytest.raises(ValueError):
            tree.inclusion(grow(LEAVES), index, size)
    for first, second in ((0, 8), (9, 8)):
        with pytest.raises(ValueError):
            tree.consistency(grow(LEAVES), first, second)


def test_tiles_are_named_alike_by_writer_and_reader() -> None:
    for number, width, name in ((0, 44, "000.p/44"), (999, 256, "999"), (1234067, 256, "x001/x234/067")):
        assert tile_path(number, width) == ophor_verify.tile_path(number, width) == f"tile/0/{name}"
