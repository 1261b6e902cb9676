-- Looks for committed rows after the number $1 or in the gaps $2, for the node $3.
SELECT is_other, waiting, age, oldest, next, drawn FROM dunlin_outbox_look($1, $2, $3)
