-- Records a script as executed, in the transaction of the script.
INSERT INTO dunlin_schema (name, number) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET number = excluded.number
