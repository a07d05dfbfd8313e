-- What a rebuild needs to know of each challenge, in order of file and position.
SELECT
    challenge_id,
    file,
    position,
    era,
    label,
    source,
    parquet,
    row,
    source_id,
    gps_lat,
    gps_lon,
    image_width,
    image_height,
    geometry,
    aug_level,
    angle,
    crop_top,
    crop_left,
    crop_height,
    crop_width,
    flip_horizontal,
    flip_vertical,
    letterbox_scale,
    letterbox_height,
    letterbox_width,
    letterbox_padding
FROM media
WHERE $ids IS NULL OR challenge_id IN (SELECT unnest($ids))
ORDER BY file, position
LIMIT $most;
