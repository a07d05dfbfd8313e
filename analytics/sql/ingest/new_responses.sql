-- The answers of new challenges, which are read once, in order.
INSERT INTO responses BY NAME
SELECT staged.* EXCLUDE (seq)
FROM staged_responses AS staged
SEMI JOIN stage_new USING (seq);
