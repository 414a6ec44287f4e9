"""The work that a busy listener asks for."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.protocol import puzzle
from tests.protocol.strategies import exactly, plainly

MATERIAL = puzzle.material(bytes(32), b"the body of some M1")


def leading_zeros(digest: bytes) -> int:
    return 256 - int.from_bytes(digest, "big").bit_length()


def test_the_material_names_application_seed_and_greeting() -> None:
    assert b"sotto/1 puzzle\x00" + bytes(32) + hashlib.sha256(b"the body of some M1").digest() == MATERIAL


@plainly
@given(st.binary(max_size=100), st.integers(0, 256), exactly(8))
def test_a_solution_has_the_leading_zero_bits(material: bytes, bits: int, counter: bytes) -> None:
    zeros = leading_zeros(hashlib.sha256(material + counter).digest())
    assert puzzle.holds(material, bits, counter) is (zeros >= bits)


@pytest.mark.parametrize("bits", range(11))
def test_the_solver_finds_the_first_solution(bits: int) -> None:
    found = puzzle.solve(MATERIAL, bits)
    assert [n for n in range(found + 1) if puzzle.holds(MATERIAL, bits, n.to_bytes(8, "big"))] == [found]


def test_a_solution_is_worth_nothing_for_another_seed_or_greeting() -> None:
    counter = puzzle.solve(MATERIAL, 10).to_bytes(8, "big")
    assert puzzle.holds(MATERIAL, 10, counter)
    assert not puzzle.holds(puzzle.material(b"\x01" * 32, b"the body of some M1"), 10, counter)
    assert not puzzle.holds(puzzle.material(bytes(32), b"the body of another"), 10, counter)
