-- Numbers that a run's Media records and its history hold differently; NULL = logged as not finite.
-- Scores are float32 and compared as such. All others are doubles that W&B, pandas and Arrow may have
-- written with other last digits (a double is known to 2.2e-16 of itself, and a reader that rounds
-- carelessly is off by a few of these): those within 1e-12 of each other are equal. Metrics of at most
-- 100 answers, and rewards of them, that do differ do so by far more.
CREATE OR REPLACE VIEW audit_sources AS
SELECT
    run_id,
    segment,
    step,
    challenge_id,
    uid,
    series,
    CASE WHEN NOT isnan(of_media) THEN of_media END AS of_media,
    CASE WHEN NOT isnan(of_history) THEN of_history END AS of_history
FROM source_numbers(0, 1)
WHERE NOT same_number(series, of_media, of_history);
