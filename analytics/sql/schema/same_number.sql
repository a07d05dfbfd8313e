-- True where two logged numbers of a series are one; NaN is NaN; NULL where one is missing. See
-- audit_sources for the tolerance. A score that is no float32 is equal to itself alone.
CREATE OR REPLACE MACRO same_number(series, a, b) AS
a = b
OR CASE
    WHEN isnan(a) OR isnan(b) THEN a = b
    WHEN series = 'scores' THEN coalesce(try_cast(a AS FLOAT) = try_cast(b AS FLOAT), false)
    ELSE abs(a - b) <= 1e-12 * greatest(abs(a), abs(b))
END;
