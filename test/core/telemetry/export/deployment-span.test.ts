import { createHash } from 'node:crypto';
import {
  assert,
  array,
  constantFrom,
  jsonValue,
  option,
  property,
  stringMatching,
  uuid,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nothingKnown } from '../../../../services/core/telemetry/export/known-deployment.ts';
import { knownFromLine } from '../../../../services/core/telemetry/export/known-deployment.ts';
import { isEmittable } from '../../../../services/core/telemetry/export/marker-events.ts';
import { markerTelemetry } from '../../../../services/core/telemetry/export/marker-telemetry.ts';
import {
  deploymentSpan,
  readTraceParent,
} from '../../../../services/core/telemetry/export/trace-context.ts';
import type { Emittable } from '../../../../services/core/markers/marker.ts';
import { kinds } from '../../../../services/core/markers/kinds.ts';
import { parseMarker } from '../../../../services/core/markers/parse-marker.ts';
import type { Said } from '../../../support/markers.ts';
import { audience, id, planned, started } from '../../../support/markers.ts';
import { value } from '../../../support/records.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const token = option(stringMatching(/^[A-Za-z0-9/._-]{1,40}$/));

const noShift = { canaryShare: 0.5, colour: null, phase: null };

const markerOf = (said: Said, at: number): Emittable => {
  const own = { marker: id(`marker ${at}`), audience, source: 'ci', occurredAt: at };
  const marker = value(parseMarker(kinds[said.kind].shape, { ...said, ...own }));
  if (!isEmittable(marker)) throw new Error(marker.kind);
  return marker;
};

describe('law: the span of an attempt', () => {
  const spanOf = (marker: Emittable): readonly [unknown, unknown] => {
    const { event } = markerTelemetry(digest, {
      ...{ marker, known: nothingKnown, position: null, attempt: null, parent: null, nowMs: 1 },
      ...{ environment: {}, versionControl: {}, run: { id: null, url: null } },
    });
    return [event.within?.traceId, event.within?.spanId];
  };

  test('is the same whichever of its markers is told, by whom and when', () => {
    const updates = constantFrom(
      ...(['started', 'succeeded', 'failed', 'canceled', 'traffic-shifted'] as const),
    );
    assert(
      property(uuid(), token, array(updates, { maxLength: 5 }), (deployment, attempt, told) => {
        const same = { deployment, attempt };
        const spans = [
          planned('2.0.0', same),
          ...told.map((kind): Said => ({ ...started(same), ...noShift, kind })),
        ].map((said, at) => spanOf(markerOf(said, at)));
        expect(spans[0]).not.toContain(undefined);
        for (const span of spans) expect(span).toEqual(spans[0]);
      }),
    );
  });

  test('is another one of each deployment and attempt, and all attempts are in one trace', () => {
    assert(
      property(uuid(), uuid(), token, token, (one, other, first, second) => {
        const of = (
          deployment: string,
          attempt: string | null,
        ): ReturnType<typeof deploymentSpan> => deploymentSpan(digest, deployment, attempt, null);
        expect(of(one, first).traceId).toBe(of(one, second).traceId);
        expect(of(one, first).spanId === of(one, second).spanId).toBe(first === second);
        if (one === other) return;
        expect(of(one, first).traceId).not.toBe(of(other, first).traceId);
        expect(of(one, first).spanId).not.toBe(of(other, first).spanId);
      }),
    );
  });

  test('is never its own parent', () => {
    assert(
      property(uuid(), token, (deployment, attempt) => {
        const own = deploymentSpan(digest, deployment, attempt, null);
        expect(deploymentSpan(digest, deployment, attempt, own)).toEqual(own);
      }),
    );
  });
});

test.each([
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', true],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03', true],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02', false],
  ['01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00', false],
])('reads %s: sampled %s', (said, isSampled) => {
  expect(readTraceParent(said)?.isSampled).toBe(isSampled);
});

test.each([
  undefined,
  '',
  '00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
  'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
])('takes %s for no trace', (said) => {
  expect(readTraceParent(said)).toBeNull();
});

test('whatever a gateway says of a deployment, reading it ends well', () => {
  const line = jsonValue();
  assert(
    property(line, line, line, (attempts, history, more) => {
      for (const said of [
        attempts,
        [attempts],
        [{ history }],
        [{ history: [more], details: more }],
      ])
        expect(() => knownFromLine({ attempts: said }, 1)).not.toThrow();
    }),
  );
});
