import { stat } from 'node:fs';
import { expect, test } from 'vitest';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { openDeadline } from '../../services/sdk/deadline.ts';

const begunMs = performance.now();
const sinceStartMs = (): number => performance.now() - begunMs;
const deadlineIn = (ms: number): ReturnType<typeof openDeadline> =>
  openDeadline({ clock: createSystemClock(), sinceStartMs }, sinceStartMs() + ms);

const asked = (): Promise<string> =>
  new Promise((done) => stat(import.meta.filename, () => done('answered')));

test('an answer that came in time is heard, also where we had no processor until after the deadline', async () => {
  const answer = deadlineIn(50).before(0, asked());
  const busyUntilMs = sinceStartMs() + 300;
  while (sinceStartMs() < busyUntilMs);
  expect(await answer).toBe('answered');
});

test('what never answers is not waited for', async () => {
  expect(await deadlineIn(20).before(0, new Promise(() => undefined))).toBeUndefined();
});
