-- In place of the order of lives (lives/order.sql): every challenge, as they lie in the table.
CREATE OR REPLACE TEMP TABLE life_order AS
SELECT rowid AS ordinal, rowid AS media_row FROM media;
