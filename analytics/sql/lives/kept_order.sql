-- The order of challenges by rows of `media` alone.
SELECT ordinal::INTEGER AS ordinal, life::INTEGER AS life, media_row
FROM life_order
ORDER BY ordinal;
