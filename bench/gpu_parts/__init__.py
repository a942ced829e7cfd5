"""The parts of `bench/gpu.py`, one file each."""
