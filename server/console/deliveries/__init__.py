"""What became of messages: by state and day, why some did not arrive, what came in, and who opted out."""
