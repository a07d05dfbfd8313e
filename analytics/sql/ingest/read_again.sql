-- What the machine kept from being read is read again: the log is known, but read by nobody.
UPDATE logs SET reader = '' WHERE file IN (SELECT unnest($again));
