"""What a piece looks and sounds like: audio files and piano rolls."""
