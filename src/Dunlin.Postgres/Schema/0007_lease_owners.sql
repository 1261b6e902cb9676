-- Counts the leases of a user for the limit per user. Rows without a holder have no user.
CREATE INDEX dunlin_lease_by_user ON dunlin_lease (user_id, expires_at) WHERE user_id IS NOT NULL;
