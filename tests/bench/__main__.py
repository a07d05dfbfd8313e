"""Measures what the project claims of its speed, as ratios within one run: `make bench`."""

from tests.bench import (
    audit,
    compare,
    demo_model,
    model_cost,
    model_replay,
    rebuild,
    tracker,
    variants,
    views,
    workers,
)

if __name__ == "__main__":
    rebuild.main()
    variants.main()
    workers.main()
    tracker.main()
    audit.main()
    compare.main()
    views.main()
    model_cost.main()
    model_replay.main()
    demo_model.main()
