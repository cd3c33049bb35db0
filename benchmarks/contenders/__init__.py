"""One module a contender; each gives the same four functions, as `benchmarks.measure` describes them."""
