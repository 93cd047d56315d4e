"""Reads the description of an API and writes the C++ that carries it. See codegen/README.md."""
