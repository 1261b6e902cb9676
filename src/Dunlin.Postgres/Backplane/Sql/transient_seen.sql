-- Where the nodes stand that were there before: what they sent until now is not for a node that has just come.
SELECT node, max(number) FROM dunlin_transient GROUP BY node
