import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readYaml } from '../../../../services/adapters/yaml/read-yaml.ts';
import { readDocumentText } from '../../../../services/core/canary/policy/parse-policy.ts';
import {
  documentFileBytesMax,
  policySettings,
} from '../../../../services/core/canary/policy/policy-text.ts';
import { requiredFieldNames } from '../../../../services/core/canary/policy/required-field-names.ts';
import {
  expectedFaults,
  goldenPolicies,
  plainOf,
  policyOf,
  policySettingsGiven,
} from '../../../support/canary/policies.ts';

// Editors complete and underline by schemas/policy.v2.json; it must not say otherwise than the door.

const schema = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../../../schemas/policy.v2.json'), 'utf8'),
) as {
  readonly $defs: {
    readonly policy: { readonly properties: { readonly require: { readonly items: unknown } } };
  };
};
const validate = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: true,
}).compile(schema);

const faultsOf = (value: unknown): readonly string[] => {
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

/** What hangs on other settings, or on how large a share in per cent is, no schema says. */
const beyondSchema = (fault: string): boolean =>
  / (contradiction|too-large): /.test(fault) ||
  /written such as|come to [0-9]+ metrics/.test(fault);

describe('the schema for editors', () => {
  test.each(goldenPolicies('valid'))('takes %s', (_name, text) => {
    expect(faultsOf(plainOf(text))).toEqual([]);
  });

  const faults = expectedFaults();
  test.each(
    goldenPolicies('invalid').filter(
      ([name, text]) =>
        readYaml(text, documentFileBytesMax).ok &&
        (faults[name] ?? []).some((fault) => !beyondSchema(fault)),
    ),
  )('underlines %s', (_name, text) => {
    expect(faultsOf(plainOf(text))).not.toEqual([]);
  });

  test('takes whatever the door takes', () => {
    assert(
      property(policySettingsGiven, (given) => {
        expect(faultsOf({ version: 2, policies: [given] })).toEqual([]);
        expect(faultsOf({ version: 2, policies: [policySettings(policyOf(given))] })).toEqual([]);
      }),
    );
  });

  test('knows the same fields of a plan', () => {
    expect(schema.$defs.policy.properties.require.items).toEqual({ enum: requiredFieldNames });
  });
});

describe('the example of every setting', () => {
  const text = readFileSync(
    resolve(import.meta.dirname, '../../../../schemas/policy.example.yaml'),
    'utf8',
  );

  test('is a policy', () => {
    expect(faultsOf(plainOf(text))).toEqual([]);
    expect(readDocumentText(JSON.stringify(plainOf(text)))).toMatchObject({ ok: true });
  });

  test('leaves none out', () => {
    const shown = new Set(namesIn(plainOf(text), (value) => value));
    const known = namesIn(
      schema,
      (value) => (value as { readonly properties?: unknown }).properties,
    );
    expect(known.length).toBeGreaterThan(50);
    expect([...new Set(known)].filter((name) => !shown.has(name))).toEqual([]);
  });
});

/** Names of the members, at any depth, of what `membersOf` picks from each object. */
const namesIn = (value: unknown, membersOf: (value: object) => unknown): readonly string[] =>
  typeof value === 'object' && value !== null
    ? [
        ...(Array.isArray(value) ? [] : Object.keys(membersOf(value) ?? {})),
        ...Object.values(value).flatMap((one) => namesIn(one, membersOf)),
      ]
    : [];
