#!/bin/sh
# Publishes beside its own rows with psql: publisher.sh DATABASE CLIENT FIRST COUNT SEED.
exec psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 "$1" <<SQL
$(awk -v client="$2" -v first="$3" -v count="$4" -v seed="$5" 'BEGIN {
  srand(seed)
  take = "WITH taken AS (UPDATE shared SET value = value + 1 RETURNING value) SELECT dunlin.publish(\047sql/shared\047, \047e\047, to_jsonb(value)) FROM taken;"
  for (number = first; number < first + count; number++) {
    events = 1 + int(3 * rand()); shared = int(4 * rand())
    print "BEGIN;"
    printf "SELECT FROM clients WHERE name = \047%s\047 FOR UPDATE;\n", client
    if (shared == 0) print take
    printf "INSERT INTO mine (client, number, events) VALUES (\047%s\047, %d, %d);\n", client, number, events
    for (event = 0; event < events; event++)
      printf "SELECT dunlin.publish(\047sql/%s\047, \047e\047, \047[%d, %d]\047);\n", client, number, event
    if (shared == 1) print take
    print (rand() < 1 / 3 ? "ROLLBACK;" : "COMMIT;")
  }
}')
SQL
