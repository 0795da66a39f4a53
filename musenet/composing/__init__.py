"""Composing: prompt, decoding with a cache, sampling, rules, long pieces."""
