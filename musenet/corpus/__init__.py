"""Folders and archives of music made into clean, labelled, de-duplicated, split shards."""
