-- Lists the held leases without reading the rows of ended ones, which stay for RetentionOptions.EndedLeaseAge.
CREATE INDEX dunlin_lease_held ON dunlin_lease (resource) WHERE lease_id IS NOT NULL;
