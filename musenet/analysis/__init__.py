"""What can be counted in a score: sums over its notes, repetition, time."""
