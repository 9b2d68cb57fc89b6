"""SEPA without a bank: days, identifiers, characters, reasons, mandates, and documents as bytes.

All of it is pure but ``documents``, which writes files. Time is always an argument.
"""
