"""Compose original multi-instrument music with a Transformer trained on MIDI."""

__version__ = "0.1.0"
