-- Records a script as executed, in the transaction of the script.
INSERT OR REPLACE INTO dunlin_schema (name, number) VALUES (?1, ?2)
