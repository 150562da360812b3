"""The worker: carries out what was approved without waiting for the assistant, at once or at its time."""
