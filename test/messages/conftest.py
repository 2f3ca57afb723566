"""Encoders of RVL, written from the description of the format."""

import itertools
import struct

import pytest


def nibbles_of(number):
    """Return a number as nibbles of 3 bits, lowest first; the top bit says that another nibble follows."""
    groups = [number & 7]
    while number := number >> 3:
        groups.append(number & 7)
    return [group | 8 for group in groups[:-1]] + groups[-1:]


def numbers_of(values):
    """Return run lengths of zeros and other values, and the zigzag differences between successive other values."""
    numbers, previous = [], 0
    runs = [(bool(known), list(run)) for known, run in itertools.groupby(values, bool)]
    if runs and runs[0][0]:
        runs.insert(0, (False, []))
    for known, run in runs:
        numbers.append(len(run))
        for value in run if known else []:
            step, previous = value - previous, value
            numbers.append(2 * step if step >= 0 else -2 * step - 1)
    return numbers + ([0] if runs and not runs[-1][0] else [])


def pack_numbers(numbers):
    nibbles = [nibble for number in numbers for nibble in nibbles_of(number)]
    nibbles += [0] * (-len(nibbles) % 8)
    text = "".join(f"{nibble:x}" for nibble in nibbles)
    return b"".join(struct.pack("<I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))


@pytest.fixture(scope="session")
def pack_rvl_numbers():
    return pack_numbers


@pytest.fixture(scope="session")
def encode_rvl():
    return lambda values: pack_numbers(numbers_of([int(value) for value in values]))
