"""All benchmarks, as ratios within one run: `make bench`."""

from tests.bench import (
    audit,
    command_start,
    compare,
    level_3_variants,
    publish,
    rebuild,
    tracker,
    views,
)
from tests.bench.ingest import again, against_bare_scan, mutated_records, run_folder
from tests.bench.models import (
    checkpoint_replay,
    demo_model_mcc,
    exported_answers,
    huggingface_batches,
    model_forward,
)
from tests.bench.regions import distances
from tests.bench.replays import image_workers, opening, overlap, workers
from tests.bench.training import fresh_image_steps, sample_weights, steps

if __name__ == "__main__":
    against_bare_scan.main()
    again.main()
    run_folder.main()
    mutated_records.main()
    command_start.main()
    rebuild.main()
    level_3_variants.main()
    image_workers.main()
    tracker.main()
    audit.main()
    compare.main()
    publish.main()
    opening.main()
    workers.main()
    overlap.main()
    distances.main()
    views.main()
    model_forward.main()
    steps.main()
    fresh_image_steps.main()
    sample_weights.main()
    checkpoint_replay.main()
    exported_answers.main()
    huggingface_batches.main()
    demo_model_mcc.main()
