"""Evaluation: how well a model predicts music, and how much music resembles music."""
