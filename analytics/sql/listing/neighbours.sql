-- Where a challenge stands among the matching ones (0-based), and those before and after it; no row
-- where it does not match.
WITH opened AS (
    SELECT coalesce(matching.sort_key, 'infinity'::DOUBLE) AS sort_key, ordinal
    FROM matching
    INNER JOIN memory.main.listed_challenges AS listed USING (ordinal)
    WHERE listed.challenge_id = $challenge_id
),

compared AS (
    SELECT
        matching.ordinal,
        (coalesce(matching.sort_key, 'infinity'::DOUBLE), matching.ordinal) AS place,
        (opened.sort_key, opened.ordinal) AS opened_place
    FROM matching, opened
),

found AS (
    SELECT
        count(*) FILTER (WHERE place < opened_place) AS position,
        arg_max(ordinal, place) FILTER (WHERE place < opened_place) AS previous,
        arg_min(ordinal, place) FILTER (WHERE place > opened_place) AS next
    FROM compared
    HAVING count(*) > 0
)

SELECT found.position, before.challenge_id AS previous, after.challenge_id AS next
FROM found
LEFT JOIN memory.main.listed_challenges AS before ON before.ordinal = found.previous
LEFT JOIN memory.main.listed_challenges AS after ON after.ordinal = found.next;
