"""The vocabulary of the house: ids, frozen values, settings, errors, limits. No I/O, no clock."""
