"""What `make build` does: stored notebooks from `notebooks/py`, their pictures and cited numbers."""
