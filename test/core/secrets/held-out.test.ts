import { describe, expect, test } from 'vitest';
import { findSecrets, maskSecrets } from '../../../services/core/secrets/find-secrets.ts';
import { heldOutOrdinary, heldOutSecrets } from '../../support/secrets-heldout/corpus.ts';

// Written by somebody who had not read the rules, and measured before they were mended by it: the README tells what it
// found then.

const share = (part: number, whole: number): number => Math.floor(whole * part);

/** Whether ten characters of the secret in a row, or all of a short one, still stand in the text. */
const isLeft = (text: string, secret: string): boolean =>
  Array.from({ length: Math.max(1, secret.length - 9) }, (_, at) => secret.slice(at, at + 10)).some(
    (piece) => text.includes(piece),
  );

describe.each(['first', 'second', 'third'] as const)(
  'of the %s draw of the held-out corpus',
  (draw) => {
    const secrets = heldOutSecrets(`held out, ${draw}`, draw);
    const ordinary = heldOutOrdinary(`held out, ${draw}`, draw);

    test('98 of 100 secrets are found, of more than 100 kinds', () => {
      expect(secrets.length).toBeGreaterThanOrEqual(300);
      expect(new Set(secrets.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(100);
      const missed = secrets.filter(({ text }) => findSecrets(text).length === 0);
      expect(missed.slice(0, share(0.02, secrets.length))).toEqual(missed);
    });

    test('nearly nothing of a secret is left where it is written over', () => {
      const left = secrets.filter(({ text, secret }) => isLeft(maskSecrets(text), secret));
      expect(left.slice(0, share(0.02, secrets.length))).toEqual(left);
    });

    test('what is written over holds nothing to be found', () => {
      expect(secrets.filter(({ text }) => findSecrets(maskSecrets(text)).length > 0)).toEqual([]);
    });

    test('at most one in a thousand ordinary values is taken for a secret', () => {
      expect(new Set(ordinary.map(({ text }) => text)).size).toBeGreaterThanOrEqual(2000);
      const flagged = ordinary.filter(({ text }) => findSecrets(text).length > 0);
      expect(flagged.slice(0, share(0.001, ordinary.length))).toEqual(flagged);
    });
  },
);
