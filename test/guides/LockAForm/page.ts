import { Client, engineLeases, problemOf, type Lease, type LeaseGrant, type LeaseLost } from '@dunlin/client';

interface Customer {
  name: string;
  phone: string;
}

const find = <T extends HTMLElement>(selector: string) => document.querySelector<T>(selector)!;
const [form, fields] = [find<HTMLFormElement>('form'), find<HTMLFieldSetElement>('fieldset')];
const say = (text: string) => void (find('#message').textContent = text);
const showChoices = (isHeld: boolean) => (find('#wait').hidden = find('#take').hidden = !isHeld);

const me = (await (await fetch('/api/me')).json()) as { userId: string };
// <lock-client>
const [resource, path] = ['customers/1', '/api/customers/1'];
const client = new Client({ user: me.userId });
const leases = client.leases();
const connection = client.connection({ topics: [resource, 'leases/customers'] });
let lease: Lease | undefined;
// </lock-client>

// <lock-take>
// The same leases, acquired by taking them from their holder. The server checks the right (MayPreemptAsync).
const takeOver = client.leases({
  ...engineLeases(client.requests),
  acquire: async ({ resource, leaseId, seconds }, signal) => {
    const body = { leaseId, seconds, reason: 'The customer is on the phone' };
    const address = `/dunlin/v1/leases/${encodeURIComponent(resource)}/take`;
    const answer = await client.requests.send<LeaseGrant>('POST', address, { body, signal });
    return { status: 'granted', grant: answer.body };
  },
});

async function take(): Promise<void> {
  const result = await takeOver.tryAcquire(resource, { seconds: 30 });
  if (result.status === 'acquired') await begin(result.lease);
}
// </lock-take>

function show(customer: Customer): void {
  for (const name of ['name', 'phone'] as const)
    (form.elements.namedItem(name) as HTMLInputElement).value = customer[name];
}

async function load(): Promise<void> {
  show((await client.requests.send<Customer>('GET', path)).body);
}

// <lock-acquire>
async function edit(): Promise<void> {
  const result = await leases.tryAcquire(resource, { seconds: 30 });
  if (result.status === 'acquired') return begin(result.lease);
  say(`${result.holder?.owner?.name ?? 'Somebody else'} edits this customer.`);
  showChoices(true);
}

async function waitForTurn(): Promise<void> {
  say('You are in the queue.');
  await begin(await leases.acquire(resource, { seconds: 30 }));
}
// </lock-acquire>

// <lock-begin>
async function begin(acquired: Lease): Promise<void> {
  lease = acquired;
  acquired.lost.addEventListener('abort', () => {
    if (lease === acquired) lease = undefined;
    fields.disabled = true;
    const { reason } = acquired.lost.reason as LeaseLost;
    if (reason !== 'released' && reason !== 'handedOff')
      say(`The lock is lost (${reason}). Your text is still in the form, and is not saved.`);
  });
  await load(); // somebody may have saved while you waited
  showChoices(false);
  fields.disabled = false;
  say('You edit this customer.');
}
// </lock-begin>

// <lock-hand-over>
async function handOver(): Promise<void> {
  try {
    await lease?.handOff(); // to the first user in the queue; handOff('bob') passes it to bob
    say('Handed over.');
  } catch (error) {
    say(`Not handed over: ${problemOf(error).title}`);
  }
}
// </lock-hand-over>

// <lock-submit>
async function save(): Promise<void> {
  if (!lease) return;
  const { leaseId, fence } = lease;
  const body = { ...Object.fromEntries(new FormData(form)), leaseId, fence };
  try {
    await lease.hold(client.requests.send('PUT', path, { body })); // renewed until the request has ended
    await lease.release();
    say('Saved.');
  } catch (error) {
    say(`Not saved: ${problemOf(error).title}`);
  }
}
// </lock-submit>

// <lock-events>
connection.on('*', (data: { resource?: string; owner?: { userId: string; name: string } }, event) => {
  if (!event.type.startsWith('lease.') || data.resource !== resource) return;
  leases.notify(resource); // a waiter asks whether it is its turn
  leases.check(); // a holder learns at once that it is none any more
  if (event.type === 'lease.queued' && lease) say(`${data.owner?.name} waits for this customer.`);
});
connection.on('customer.saved', (customer: Customer) => {
  if (!lease) show(customer);
});
connection.onReset(() => void load());
connection.connect();
// </lock-events>

find('#edit').onclick = () => void edit();
find('#wait').onclick = () => void waitForTurn();
find('#take').onclick = () => void take();
find('#hand-over').onclick = () => void handOver();
form.onsubmit = (event) => {
  event.preventDefault();
  void save();
};
await load();
