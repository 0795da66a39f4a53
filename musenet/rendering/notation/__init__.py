"""Notation: a score as a page of music, in MusicXML, SVG and PDF.

`notate` makes bars, voices and symbols of a score, `musicxml` writes them, `engrave` draws pages.
"""
