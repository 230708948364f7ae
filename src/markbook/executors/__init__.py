"""Where work on many submissions runs: here, in other processes, or on a Dask cluster."""
