"""Text: decoding, comparing, rendering, and writing files."""
