"""Training: windows and augmentation, optimisers, the loop."""
