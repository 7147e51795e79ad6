import { describe, expect, test } from 'vitest';

import {
  parsePolicy,
  policyCanonicalJson,
  standardPreset,
  windowsIn,
} from '../../../services/core/canary/policy.ts';

describe('a policy', () => {
  test('without overrides is the standard preset', () => {
    expect(parsePolicy({})).toEqual({ ok: true, value: standardPreset });
  });

  test('keeps every setting of the preset that is not named', () => {
    const parsed = parsePolicy({ windowMs: 1_000, tolerance: { absolute: 0.001 } });
    expect(parsed).toEqual({
      ok: true,
      value: {
        ...standardPreset,
        windowMs: 1_000,
        tolerance: { relative: 1.1, absolute: 0.001 },
      },
    });
  });

  test('rounds its times up to whole windows', () => {
    expect(windowsIn({ ...standardPreset, windowMs: 10_000 }, 15_000)).toBe(2);
    expect(windowsIn({ ...standardPreset, windowMs: 60_000 }, 15_000)).toBe(1);
  });
});

const refused: readonly [given: string, code: string, path: string][] = [
  ['null', 'wrong-type', ''],
  ['[]', 'wrong-type', ''],
  ['"standard"', 'wrong-type', ''],
  ['{"windowSeconds":5}', 'unknown-key', 'windowSeconds'],
  ['{"tolerance":{"relativ":1.2}}', 'unknown-key', 'tolerance.relativ'],
  ['{"__proto__":{"beta":0.5}}', 'unknown-key', '__proto__'],
  ['{"constructor":1}', 'unknown-key', 'constructor'],
  ['{"windowMs":"5000"}', 'wrong-type', 'windowMs'],
  ['{"windowMs":null}', 'wrong-type', 'windowMs'],
  ['{"windowMs":5000.5}', 'wrong-type', 'windowMs'],
  ['{"windowMs":0}', 'out-of-range', 'windowMs'],
  ['{"warmUpMs":-1}', 'out-of-range', 'warmUpMs'],
  ['{"beta":1e999}', 'wrong-type', 'beta'],
  ['{"alphaAnytime":0}', 'out-of-range', 'alphaAnytime'],
  ['{"alphaAnytime":0.2}', 'out-of-range', 'alphaAnytime'],
  ['{"blockCapNats":0}', 'out-of-range', 'blockCapNats'],
  ['{"tolerance":{"relative":0.9}}', 'out-of-range', 'tolerance.relative'],
  ['{"tolerance":1.1}', 'wrong-type', 'tolerance'],
  ['{"priorRate":0}', 'out-of-range', 'priorRate'],
  ['{"restarts":{"count":11}}', 'out-of-range', 'restarts.count'],
  ['{"grids":{"rollback":[]}}', 'out-of-range', 'grids.rollback'],
  ['{"grids":{"rollback":[1]}}', 'out-of-range', 'grids.rollback[0]'],
  ['{"grids":{"rollback":[2,2]}}', 'out-of-range', 'grids.rollback[1]'],
  ['{"grids":{"promote":[0.5,1]}}', 'out-of-range', 'grids.promote[1]'],
  ['{"grids":{"promote":{"0":0.5}}}', 'wrong-type', 'grids.promote'],
  ['{"warmUpMs":1800000}', 'contradiction', 'warmUpMs'],
  ['{"soakMs":1800000}', 'contradiction', 'soakMs'],
  ['{"tolerance":{"relative":2}}', 'contradiction', 'promoteTolerance.relative'],
  ['{"tolerance":{"absolute":0.01}}', 'contradiction', 'promoteTolerance.absolute'],
  ['{"vetoEvidence":200}', 'contradiction', 'vetoEvidence'],
  ['{"restarts":{"weightEach":0.2}}', 'contradiction', 'restarts.weightEach'],
];

describe('a policy is refused, with its place:', () => {
  test.each(refused)('%s is %s at "%s"', (given, code, path) => {
    const parsed = parsePolicy(JSON.parse(given));
    expect(parsed).toMatchObject({ ok: false, problem: { code, path } });
  });

  test('a promote tolerance that equals the tolerance', () => {
    const same = { relative: 1.2, absolute: 0.001 };
    expect(parsePolicy({ tolerance: same, promoteTolerance: same })).toMatchObject({
      ok: false,
      problem: { code: 'contradiction', path: 'promoteTolerance' },
    });
  });

  test('and an unknown key is answered with the keys that are known there', () => {
    const parsed = parsePolicy({ tolerance: { relativ: 1.2 } });
    expect(parsed).toMatchObject({
      problem: {
        message:
          'tolerance.relativ is not a setting of the judge; allowed here: relative, absolute',
      },
    });
  });
});

describe('the canonical JSON of a policy', () => {
  test('does not depend on the order of its keys', () => {
    const backwards = Object.fromEntries(
      Object.entries(standardPreset).toReversed(),
    ) as typeof standardPreset;
    expect(policyCanonicalJson(backwards)).toBe(policyCanonicalJson(standardPreset));
  });

  test('is the text that the digests of earlier decisions were made of', () => {
    expect(policyCanonicalJson(standardPreset)).toBe(
      '{"alphaAnytime":0.005,"beta":0.05,"blockCapNats":1.5,"blockMs":15000,"deadlineMs":1800000,' +
        '"grids":{"promote":[0.2,0.35,0.5,0.65,0.8],' +
        '"rollback":[1.25,1.84,2.7,3.97,5.83,8.57,12.6,18.5,27.2,40]},' +
        '"noDataMs":120000,"priorRate":0.005,"priorRequests":100,' +
        '"promoteTolerance":{"absolute":0.002,"relative":1.5},' +
        '"restarts":{"count":5,"everyMs":300000,"weightEach":0.1},"soakMs":300000,' +
        '"tolerance":{"absolute":0.0005,"relative":1.1},"vetoEvidence":5,"warmUpMs":60000,' +
        '"weights":{"errors":0.5},"windowMs":5000}',
    );
  });

  test('reads back as the same policy', () => {
    expect(parsePolicy(JSON.parse(policyCanonicalJson(standardPreset)))).toEqual({
      ok: true,
      value: standardPreset,
    });
  });
});
