import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Authentic } from '../../services/core/check/check-record.ts';
import type { Deployment } from '../../services/core/deployment.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import { check, foldOpening } from '../../services/core/projection.ts';
import { readRow } from '../../services/core/row-text.ts';
import type { SlotState } from '../../services/core/slot-state.ts';
import type { Step } from '../support/given.ts';
import { fold, recordsOf, tools } from '../support/given.ts';
import { histories } from '../support/histories.ts';
import { audience } from '../support/markers.ts';
import type { Told } from '../support/plain-fold.ts';
import { PlainFold, plainStatus } from '../support/plain-fold.ts';
import { value } from '../support/records.ts';

type Place = { namespace: string; environment: string; component: string; target: string | null };

const slotText = ({ namespace, environment, component, target }: Place): string =>
  [namespace, environment, component, target ?? ''].join('/');

const covers = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) => pattern === '*' || pattern === name);

/** The authentic markers of a log in order, each identity once. */
const toldBy = (records: readonly LogRecord[]): readonly Told[] => {
  const [zero, ...rest] = records;
  if (zero === undefined) return [];
  const { state } = value(foldOpening(tools, audience, zero));
  const seen = new Set<string>();
  let time = 0;
  return check(tools, audience, state, rest).flatMap((item) => {
    time = Math.max(time, item.record.appendedAtMs);
    if (item.outcome !== 'authentic') return [];
    const { marker, signer, waitedMs } = item.authentic as Authentic & { marker: Body };
    const environments = (slot: string) => slot.split('/')[1] ?? '';
    const components = (slot: string) => slot.split('/')[2] ?? '';
    const told: Told = {
      position: item.record.position,
      at: time - waitedMs,
      kind: marker.kind,
      deployment: marker.deployment,
      slot: marker.slot === null ? null : slotText(marker.slot),
      token: marker.attempt,
      version: marker.version ?? null,
      digest: marker.digest ?? null,
      reason: marker.reason ?? null,
      mayActIn: (slot) =>
        covers(signer.environments, environments(slot)) &&
        covers(signer.components, components(slot)),
    };
    const identity = `${marker.marker} ${signer.principal}`;
    if (seen.has(identity)) return [];
    const isAccepted = told.slot === null || told.mayActIn(told.slot);
    if (isAccepted) seen.add(identity);
    return [told];
  });
};

type Body = {
  readonly marker: string;
  readonly kind: string;
  readonly deployment: string;
  readonly slot: Place | null;
  readonly attempt: string | null;
  readonly version?: string;
  readonly digest?: string | null;
  readonly reason?: string | null;
};

/** Each deployment is planned first, by somebody who may, and for one slot. */
const tamed = async (steps: readonly Step[]): Promise<readonly Step[]> => {
  const ownIds = steps
    .filter((step) => !('again' in step))
    .map((step) => {
      if (!('by' in step) || step.by === 'admin') return step;
      const { marker: _marker, ...rest } = step;
      return rest;
    });
  const slots = new Map<string, string>();
  const wild = new Set<number>();
  for (const told of toldBy(await recordsOf(...ownIds))) {
    if (!isOfPipeline(told)) continue;
    const planned = slots.get(told.deployment);
    if (told.kind === 'planned' && told.slot !== null && told.mayActIn(told.slot)) {
      slots.set(told.deployment, planned ?? told.slot);
      if (planned !== undefined && planned !== told.slot) wild.add(told.position);
    } else if (planned === undefined) wild.add(told.position);
  }
  // Record 0 opens the log, and each step is one record.
  return ownIds.filter((_step, index) => !wild.has(index + 1));
};

test('the plain reading agrees with the rows', async () => {
  await fc.assert(
    fc.asyncProperty(histories({ stepsMax: 120, tokens: false }), async (steps) => {
      const records = await recordsOf(...(await tamed(steps)));
      const house = await fold(records);
      const plain = new PlainFold();
      for (const told of toldBy(records)) if (isEmitted(told)) plain.tell(told);

      const rows = (await house.dump()).map((line) => line.split('\n'));
      const deployments = rows
        .filter(([model]) => model === 'deployment')
        .map(([, , json]) => readRow<Deployment>('deployment', json ?? ''));
      const statuses = deployments.flatMap(({ id, attempts }) =>
        attempts
          .filter(({ plan }) => plan !== null)
          .map(({ number, status, startedAt, endedAt }) => ({
            attempt: `${id} ${number}`,
            status,
            startedAt,
            endedAt,
          })),
      );
      const expected = [...plain.deployments].flatMap(([id, attempts]) =>
        attempts.map((attempt) => ({
          attempt: `${id} ${attempt.number}`,
          ...plainStatus(attempt),
        })),
      );
      const byAttempt = (a: { attempt: string }, b: { attempt: string }) =>
        a.attempt < b.attempt ? -1 : 1;
      expect(statuses.toSorted(byAttempt)).toEqual(expected.toSorted(byAttempt));

      const slots = rows
        .filter(([model]) => model === 'slot')
        .map(([, , json]) => readRow<SlotState>('slot', json ?? ''));
      for (const state of slots) {
        const holder = state.holders.find(({ status }) => status !== 'released');
        const releases = state.holders.filter(({ status }) => status === 'released');
        expect({
          holder: holder === undefined ? null : `${holder.version} ${holder.digest}`,
          releases: releases.map(({ version, digest }) => `${version} ${digest}`),
          uncertain: holder !== undefined && holder.uncertain !== null,
          beside: state.beside.map(({ version, status }) => `${version} ${status}`).toSorted(),
        }).toEqual(plain.current(slotText(state.slot)));
      }
    }),
    { numRuns: 60 },
  );
});

const isOfPipeline = ({ kind }: Pick<Told, 'kind'>): boolean =>
  [
    'planned',
    'started',
    'succeeded',
    'failed',
    'canceled',
    'traffic-shifted',
    'phase-advanced',
  ].includes(kind);

const isEmitted = ({ kind }: Told): boolean =>
  isOfPipeline({ kind }) ||
  ['logged', 'recorded', 'undeployed', 'released', 'support-ended'].includes(kind);
