"""Measures what the project claims of its speed, as ratios within one run: `make bench`."""

from tests.bench import rebuild, variants, workers

if __name__ == "__main__":
    rebuild.main()
    variants.main()
    workers.main()
