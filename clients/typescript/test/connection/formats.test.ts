import { beforeEach, describe, expect, test } from 'vitest';
import { OwnConnection } from '../../src/connection/connection';
import { Auth } from '../../src/http/auth';
import { settle } from '../support/clock';
import { environment, streams, live, setUp } from './setup';

beforeEach(setUp);

describe('Wire formats and handlers', () => {
  const cases = [
    ['named', 'event: case-updated\ndata: {"id":1}\n\n', ['case-updated', { id: 1 }]],
    ['named', 'event: connected\ndata: Stream connected\n\n', ['connected', 'Stream connected']],
    ['named', 'event: counted\ndata: null\n\n', ['counted', null]],
    ['typed', 'data: {"type":"lock-acquired","data":{"field":"x"}}\n\n', ['lock-acquired', { field: 'x' }]],
    ['word', 'data: sync\n\n', ['sync', undefined]],
    [
      'envelope',
      'data: {"channel":"timer","type":"started","payload":1}\n\n',
      ['timer', { channel: 'timer', type: 'started', payload: 1 }],
    ],
  ] as const;

  for (const [format, bytes, expected] of cases) {
    test(`The format ${format} is decoded: ${expected[0]}`, async () => {
      const { seen } = await live({ format });
      streams.last.send(bytes);
      await settle();
      expect(seen).toEqual([expected]);
    });
  }

  test('Control events are understood in every format', async () => {
    for (const format of ['envelope', 'typed', 'word'] as const) {
      const { connection, seen } = await live({ format });
      streams.last.control(undefined, 'goodbye', { reason: 'revoked' });
      await settle();
      expect(connection.state.name).toBe('signedOut');
      expect(seen).toEqual([]);
    }
  });

  test('A frame of another format is reported and stops nothing', async () => {
    const { seen } = await live({ format: 'typed' });
    streams.last.send('data: not json\n\ndata: {"type":"good"}\n\n');
    await settle();
    expect(seen).toEqual([['good', undefined]]);
    expect(environment.errors).toHaveLength(1);
  });

  test('Several handlers of one channel all run, and off removes one or all', async () => {
    const { connection } = await live({ format: 'envelope' });
    const calls: string[] = [];
    const one = () => calls.push('one');
    connection.on('timer', one);
    connection.on('timer', () => calls.push('two'));
    const send = async () => {
      streams.last.send('data: {"channel":"timer","type":"started","payload":{}}\n\n');
      await settle();
    };
    await send();
    connection.off('timer', one);
    await send();
    connection.off('timer');
    await send();
    expect(calls).toEqual(['one', 'two', 'two']);
  });

  test('A throwing handler is reported; other handlers and the stream continue', async () => {
    const { connection, seen } = await live();
    connection.on('changed', () => {
      throw new Error('a mistake of the application');
    });
    streams.last.event('7-1', 'changed', 1);
    streams.last.event('7-2', 'changed', 2);
    await settle();
    expect(seen).toHaveLength(2);
    expect(environment.errors).toHaveLength(2);
    expect(connection.position).toBe('7-2');
  });

  test('The types of an event map are checked', async () => {
    interface CaseEvents {
      'case-updated': { caseId: number };
    }
    const options = {
      environment,
      auth: new Auth(),
      deviceId: 'device-1',
      url: '/events',
      format: 'typed',
    } as const;
    const connection = new OwnConnection<CaseEvents>(options);
    const ids: number[] = [];
    connection.on('case-updated', (data, event) => ids.push(data.caseId + event.data.caseId));
    // @ts-expect-error -- no such event
    connection.on('case-upated', () => {});
    // @ts-expect-error -- the data has no such field
    connection.on('case-updated', (data) => data.id);
    connection.connect();
    await settle();
    streams.last.send('data: {"type":"case-updated","data":{"caseId":2}}\n\n');
    await settle();
    expect(ids).toEqual([4]);
  });

  test('Events carry their position and topic', async () => {
    const { connection } = await live();
    const events: unknown[] = [];
    connection.on('changed', (_data, event) => events.push([event.position, event.topic]));
    streams.last.event('7-1', 'changed', 1, 'branches/1');
    await settle();
    expect(events).toEqual([['7-1', 'branches/1']]);
  });
});
