import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkBatch } from '../../../services/core/check/check-batch.ts';
import { checkOpening } from '../../../services/core/check/check-record.ts';
import type { Json } from '../../../services/core/canonical.ts';
import type { Marker } from '../../../services/core/markers/marker.ts';
import { kinds } from '../../../services/core/markers/kinds.ts';
import { markerJson, readMarkerJson } from '../../../services/core/markers/marker-json.ts';
import { openTrust } from '../../../services/core/trust/trust.ts';
import type { Step } from '../../support/given.ts';
import { recordsOf, tools } from '../../support/given.ts';
import { histories } from '../../support/histories.ts';
import { audience } from '../../support/markers.ts';
import { value } from '../../support/records.ts';

const markersOf = async (steps: readonly Step[]): Promise<readonly Marker[]> => {
  const [first, ...rest] = await recordsOf(...steps);
  if (first === undefined) throw new RangeError('a history begins with record 0');
  const opened = value(checkOpening(tools, audience, first));
  const { checked } = checkBatch(tools, audience, openTrust(opened, ''), rest);
  return [
    opened,
    ...checked.flatMap((one) => (one.outcome === 'rejected' ? [] : [one.authentic.marker])),
  ];
};

test('a marker that was written as JSON and read back is the same to the byte', async () => {
  const property = fc.asyncProperty(histories({ stepsMax: 20 }), async (steps) => {
    for (const marker of await markersOf(steps)) {
      const json = JSON.parse(JSON.stringify(markerJson(tools.text, marker))) as Json;
      const back = value(readMarkerJson(tools.text, json));
      const { shape } = kinds[marker.kind];
      expect(tools.codec.encode(shape, back).bytes).toEqual(
        tools.codec.encode(shape, marker).bytes,
      );
    }
  });
  await fc.assert(property, { numRuns: 30 });
});

test('whatever else is read is refused, and never throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      expect(readMarkerJson(tools.text, json as Json).ok).toBe(false);
    }),
    { numRuns: 200 },
  );
  for (const json of [{ kind: 'key-added', key: { publicKey: 'no base64!' } }, { kind: 'nothing' }])
    expect(readMarkerJson(tools.text, json)).toMatchObject({
      ok: false,
      problem: { code: 'field-invalid' },
    });
});
