-- Which rows of `media` and `responses` hold a chunk: scanning no others keeps the audit linear.
SELECT
    min(media_row) AS first_media,
    max(media_row) AS last_media,
    coalesce(min(first_answer), 0) AS first_answer,
    coalesce(max(last_answer), -1) AS last_answer
FROM audit_order
WHERE ordinal BETWEEN $first AND $last;
