// Publishes beside its own rows: publisher.mjs DATABASE CLIENT FIRST COUNT SEED.
import pg from 'pg';

const [database, client, ...numbers] = process.argv.slice(2);
const [first, count, seed] = numbers.map(Number);
let state = seed >>> 0;
const dice = (sides) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * sides);
};
const connection = new pg.Client(database);
await connection.connect();

const take = async () => {
  const { rows } = await connection.query('UPDATE shared SET value = value + 1 RETURNING value');
  await connection.query("SELECT dunlin.publish('sql/shared', 'e', $1)", [rows[0].value]);
};

for (let number = first; number < first + count; number++) {
  const events = 1 + dice(3);
  const shared = ['before', 'after', 'never', 'never'][dice(4)];
  await connection.query('BEGIN');
  if (shared === 'before') await take();
  await connection.query('INSERT INTO mine (client, number, events) VALUES ($1, $2, $3)', [
    client,
    number,
    events,
  ]);
  for (let event = 0; event < events; event++)
    await connection.query("SELECT dunlin.publish($1, 'e', $2)", [
      `sql/${client}`,
      JSON.stringify([number, event]),
    ]);
  if (shared === 'after') await take();
  await connection.query(dice(3) === 0 ? 'ROLLBACK' : 'COMMIT');
}
await connection.end();
