-- The leases of one user, to keep to the limit of each. Rows that nobody holds have no user.
CREATE INDEX dunlin_lease_by_user ON dunlin_lease (user_id, expires_at) WHERE user_id IS NOT NULL;
