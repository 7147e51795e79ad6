import type { Redis } from 'ioredis';
import { asideRefusal } from '../../core/aside-fault.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Aside, AsideEntry, StoreProblem } from '../../ports/read-model-store.ts';
import { scanArguments } from './arguments.ts';
import type { Keys } from './keys.ts';
import { damaged } from './replies.ts';
import type { Scripts } from './scripts.ts';

/** The values that one audience keeps beside its generations. */
export function openAside(
  client: Redis,
  scripts: Scripts,
  keys: Keys,
  ask: <Reply>(reply: Promise<Reply>) => Promise<Result<Reply, StoreProblem>>,
): Aside {
  const place = [keys.aside, keys.asideOrder];
  return {
    read: async (wanted) => {
      const found = new Map<string, string>();
      // HMGET takes no empty list; and a key without UTF-8 bytes would turn into another one.
      const asked = wanted.filter((key) => key.isWellFormed());
      if (asked.length === 0) return ok(found);
      const reply = await ask(client.hmget(keys.aside, ...asked));
      if (!reply.ok) return reply;
      for (const [index, value] of reply.value.entries()) {
        const key = asked[index];
        if (key !== undefined && value !== null) found.set(key, value);
      }
      return ok(found);
    },
    write: async (entries) => {
      const refusal = asideRefusal(entries);
      if (refusal !== undefined) return fail({ code: 'refused', message: refusal });
      const last = new Map(entries.map(({ key, value }) => [key, value]));
      const set: string[] = [];
      const gone: string[] = [];
      for (const [key, value] of last) {
        if (value === null) gone.push(key);
        else set.push(key, value);
      }
      const reply = await ask(scripts.asideWrite(place, [String(set.length / 2), ...set, ...gone]));
      if (!reply.ok) return reply;
      return reply.value[0] === 'written' ? ok(undefined) : fail(damaged(reply.value));
    },
    scan: async (range) => {
      const reply = await ask(scripts.asideScan(place, scanArguments(range)));
      if (!reply.ok) return reply;
      if (reply.value[0] !== 'scanned') return fail(damaged(reply.value));
      const [, found, values] = reply.value;
      const entries: AsideEntry[] = [];
      for (const [index, key] of found.entries()) {
        const value = values[index];
        if (value === undefined || value === null)
          return fail({ code: 'corrupt', message: `aside lists ${key}, but has no such value` });
        entries.push({ key, value });
      }
      return ok(entries);
    },
  };
}
