// The disk that a number of events takes in a SQLite file. Start a server that has no limit for publishing, then run this beside it:
//   Dunlin__Publish__PerSecond=0 Dunlin__Publish__TopicsPerHour=0 ./start.sh --server --data /tmp/disk
//   TOKEN=$(./start.sh --server --data /tmp/disk token --subject bench --publish '**') \
//     node bench/disk.mjs --file /tmp/disk/dunlin.db --events 1000000 --size 200 --topics 1000
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:5090' },
    file: { type: 'string' },
    events: { type: 'string', default: '1000000' },
    size: { type: 'string', default: '200' },
    topics: { type: 'string', default: '1000' },
  },
});
const [events, size, topics] = [Number(values.events), Number(values.size), Number(values.topics)];
const perRequest = Math.max(1, Math.min(1000, Math.floor(900_000 / (size + 100)), events));

/** The bytes of the database and of its write-ahead log. */
function onDisk() {
  const sizeOf = (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return sizeOf(values.file) + sizeOf(`${values.file}-wal`);
}

const before = onDisk();
const began = performance.now();
const text = 'x'.repeat(Math.max(0, size - 2)); // with its quotes, the JSON has the size
for (let sent = 0; sent < events; sent += perRequest) {
  const body = Array.from({ length: Math.min(perRequest, events - sent) }, (_, index) => ({
    topic: `bench/${(sent + index) % topics}`,
    type: 'bench.written',
    data: text,
  }));
  const answer = await fetch(`${values.url}/dunlin/v1/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${process.env.TOKEN}` },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}
const bytes = onDisk() - before;
const seconds = (performance.now() - began) / 1000;
console.log(
  `${events} events of ${size} bytes: ${(bytes / 2 ** 20).toFixed(0)} MiB, ` +
    `${(bytes / events).toFixed(0)} bytes each, in ${seconds.toFixed(0)} s`,
);
