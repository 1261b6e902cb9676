-- Reads the last number of each node. A node that has just started skips the events up to there.
SELECT node, max(number) FROM dunlin_transient GROUP BY node
