import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceAttributesEnvDetector } from '@opentelemetry/resources';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EnvLine } from '../../../services/cli/telemetry/env.ts';
import { shellText, variablesFor } from '../../../services/cli/telemetry/variables.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
afterEach(() => vi.unstubAllEnvs());

const desk = (options: DeskOptions = {}): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), ...options });

const place = ['--environment-name=production', '--component-name=checkout'];
const planned = async (at: Desk, ...more: readonly string[]): Promise<string> => {
  const { exit, out } = await at.plimsoll(
    ...['release', 'plan', ...place, '--target-version=2.0.0', '--json'],
    ...more,
  );
  expect(exit).toBe(0);
  return (JSON.parse(out[0] ?? '') as { readonly deployment: string }).deployment;
};

const envLine = async (at: Desk, ...words: readonly string[]): Promise<EnvLine> => {
  const { exit, out } = await at.plimsoll('env', ...words, '--json');
  expect(exit).toBe(0);
  const line = JSON.parse(out[0] ?? '') as EnvLine;
  expect(faultsOf('env', line)).toEqual([]);
  return line;
};

/** What an OpenTelemetry SDK takes out of the variable. */
const asSdkReads = (variable: string | undefined): unknown => {
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', variable);
  return resourceAttributesEnvDetector.detect({}).attributes;
};

const github = {
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'shop/checkout',
  GITHUB_RUN_ID: '77',
  GITHUB_SHA: '5c3d1b7e9a0f4c2d8e6b1a3f5d7c9e0b2a4f6d81',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_REF_NAME: 'main',
  GITHUB_REF_TYPE: 'branch',
};

describe('plimsoll env', () => {
  test('says what was planned from here, as an SDK understands it', async () => {
    const at = await desk();
    const deployment = await planned(at);
    const { variables, attributes } = await envLine(at);
    const said = {
      'deployment.id': deployment,
      'deployment.name': 'default',
      'deployment.environment.name': 'production',
      'service.name': 'checkout',
      'service.version': '2.0.0',
    };
    expect(attributes).toEqual(said);
    expect(asSdkReads(variables['OTEL_RESOURCE_ATTRIBUTES'])).toEqual(said);
  });

  test('without a name means the plan without one, else the only one that has not ended', async () => {
    const at = await desk();
    const first = await planned(at, 'shop-1.1');
    expect((await envLine(at)).attributes).toMatchObject({
      'deployment.id': first,
      'deployment.name': 'shop-1.1',
    });
    await at.plimsoll('release', 'update', 'shop-1.1', '--status=FAILED');
    const ended = await at.plimsoll('env');
    expect([ended.exit, ended.err.join('')]).toEqual([0, expect.stringContaining('has ended')]);
    await planned(at, 'shop-1.1');
    const second = await planned(at, 'shop-1.2');
    const several = await at.plimsoll('env');
    expect([several.exit, several.out, several.err]).toEqual([
      3,
      [],
      [
        'plimsoll: 2 plans from here may be meant: "shop-1.1", "shop-1.2" [deployment-ambiguous]',
        '  name the one that is meant: plimsoll env DEPLOY-NAME',
      ],
    ]);
    await at.plimsoll('release', 'update', 'shop-1.1', '--status=FAILED');
    expect((await envLine(at)).deployment).toBe(second);
    await at.plimsoll('release', 'update', 'shop-1.2', '--status=SUCCESS');
    expect((await at.plimsoll('env')).exit).toBe(3);
    // A plan without a name is what is meant where none is said.
    const third = await planned(at);
    expect((await envLine(at)).deployment).toBe(third);
    // In a run of a CI the id follows from the run, whatever lies in the folder.
    const inCi = at.elsewhere({ env: github });
    expect((await envLine(inCi)).attributes['deployment.name']).toBe('default');
  });

  test('knows the deployment of a CI run in every job of it, and what the job knows', async () => {
    const at = await desk({ env: github });
    const deployment = await planned(at, 'eu');
    const otherJob = at.elsewhere({ folder: join(scratch, randomUUID()) });
    const { attributes } = await envLine(otherJob, 'eu', '--target-version=2.0.0');
    expect(attributes).toEqual({
      'deployment.id': deployment,
      'deployment.name': 'eu',
      'service.name': 'checkout',
      'service.version': '2.0.0',
      'vcs.repository.url.full': 'https://github.com/shop/checkout',
      'vcs.repository.name': 'checkout',
      'vcs.ref.head.revision': github.GITHUB_SHA,
      'vcs.ref.head.name': 'main',
      'vcs.ref.head.type': 'branch',
    });
  });

  test('puts what is started into the span of the deployment, where it is asked to', async () => {
    const at = await desk({ env: github });
    await planned(at);
    expect((await envLine(at)).variables).not.toHaveProperty('TRACEPARENT');
    const { variables } = await envLine(at, '--trace');
    expect(variables['TRACEPARENT']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    // Said again from inside it is the same.
    const inside = at.elsewhere({
      env: { ...github, TRACEPARENT: variables['TRACEPARENT'] ?? '' },
    });
    expect((await envLine(inside, '--trace')).variables).toMatchObject(variables);
    const rerun = at.elsewhere({ env: { ...github, GITHUB_RUN_ATTEMPT: '2' } });
    const second = (await envLine(rerun, '--trace')).variables['TRACEPARENT'] ?? '';
    const [, trace, span] = second.split('-');
    expect(variables['TRACEPARENT']).toContain(trace);
    expect(variables['TRACEPARENT']).not.toContain(span);
  });

  test('leaves whoever is in a trace already where they are', async () => {
    const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const at = await desk({ env: { ...github, TRACEPARENT } });
    await planned(at);
    const { exit, out, err } = await at.plimsoll('env', '--trace');
    expect([exit, out.join('')]).toEqual([0, expect.not.stringContaining('TRACEPARENT')]);
    expect(err.join('')).toContain('TRACEPARENT is set already');
  });

  test('says so where what was planned last has ended', async () => {
    const at = await desk();
    await planned(at);
    expect((await at.plimsoll('env')).err).toEqual([]);
    await at.plimsoll('release', 'update', '--status=SUCCESS');
    const { exit, err } = await at.plimsoll('env');
    expect([exit, err.join('')]).toEqual([0, expect.stringContaining('has ended: 2.0.0')]);
  });

  test('keeps what is set already, and says what the deployment replaces', async () => {
    const before = 'team=a%2Cb,service.version=1.9.4,service.name=checkout,broken,deployment.id=x';
    const at = await desk({ env: { OTEL_RESOURCE_ATTRIBUTES: before, OTEL_SERVICE_NAME: 'cart' } });
    const deployment = await planned(at);
    const { attributes } = await envLine(at);
    expect(attributes).toMatchObject({
      team: 'a,b',
      'service.version': '2.0.0',
      'deployment.id': deployment,
    });
    const { err } = await at.plimsoll('env', '--json');
    expect(err.map((line) => (JSON.parse(line) as { readonly code: string }).code)).toEqual([
      'attribute-unread',
      'attribute-replaced',
      'service-name-differs',
    ]);
    expect(err[1]).toContain('1.9.4');
  });

  test('keeps what is too long for an SDK, and says so', async () => {
    const long = 'x'.repeat(256);
    const at = await desk({ env: { OTEL_RESOURCE_ATTRIBUTES: `note=${long}` } });
    await planned(at);
    expect((await envLine(at)).attributes).toMatchObject({ note: long });
    const { err } = await at.plimsoll('env');
    expect(err.join('\n')).toContain('longer than 255');
  });

  test('said again over itself changes nothing', async () => {
    const at = await desk();
    await planned(at);
    const { variables } = await envLine(at);
    const again = await envLine(at.elsewhere({ env: variables }));
    expect(again.variables).toEqual({
      OTEL_RESOURCE_ATTRIBUTES: variables['OTEL_RESOURCE_ATTRIBUTES'],
    });
  });

  test('only supposes a name where nobody said one', async () => {
    const env = { ...github, OTEL_RESOURCE_ATTRIBUTES: 'service.name=cart' };
    const { attributes } = await envLine(await desk({ env }));
    expect(attributes['service.name']).toBe('cart');
  });

  test.each([
    ['sh', /^export OTEL_RESOURCE_ATTRIBUTES='[^']+'; export OTEL_METRIC_EXPORT_INTERVAL='5000';/],
    ['dotenv', /^OTEL_RESOURCE_ATTRIBUTES=[\w.%=,/:-]+$/],
    ['github', /^OTEL_RESOURCE_ATTRIBUTES=[\w.%=,/:-]+$/],
    ['json', /^\{"deployment":/],
  ])('writes %s', async (format, first) => {
    const at = await desk();
    await planned(at);
    const { exit, out } = await at.plimsoll('env', `--format=${format}`);
    expect([exit, out[0]]).toEqual([0, expect.stringMatching(first)]);
  });

  test.each([
    ['a format that is none', ['env', '--format=shh'], 'option-invalid', 2],
    ['two formats', ['env', '--json', '--format=sh'], 'option-invalid', 2],
    ['an id that is none', ['env', '--deployment=x'], 'option-invalid', 2],
    ['what nobody planned here', ['env', 'other'], 'deployment-unknown', 4],
  ])('refuses %s, and prints nothing for a shell to run', async (_what, args, code, exit) => {
    const ran = await (await desk()).plimsoll(...args);
    expect(ran).toMatchObject({ exit, out: [] });
    expect(ran.err.join('\n')).toContain(code);
  });
});

describe('the export interval', () => {
  test.each([
    ['nothing is set', {}, { INTERVAL: '5000', TIMEOUT: '5000' }],
    ['one is set', { INTERVAL: '1000' }, {}],
    ['a timeout is set that fits', { TIMEOUT: '3000' }, { INTERVAL: '5000' }],
    ['a timeout is set that is longer', { TIMEOUT: '30000' }, {}],
  ])('is set, where %s, so that no SDK refuses it', (_when, before, set) => {
    const named = (some: object): { readonly [name: string]: string } =>
      Object.fromEntries(
        Object.entries(some).map(([name, ms]) => [`OTEL_METRIC_EXPORT_${name}`, String(ms)]),
      );
    const { variables } = variablesFor(named(before), { said: {}, supposed: {} });
    const { OTEL_RESOURCE_ATTRIBUTES: _attributes, ...others } = variables;
    expect(others).toEqual(named(set));
  });
});

describe('whatever names say', () => {
  const folder = join(scratch, 'shell');
  const files = ["'", "OTEL_RESOURCE_ATTRIBUTES='x=y';", 'a'];
  /** Runs the text as `eval $(plimsoll env)` does, among files that a pattern could meet. */
  const evaluated = (text: string, call: string): string => {
    mkdirSync(folder, { recursive: true });
    for (const name of files) writeFileSync(join(folder, name), '');
    const script = `${call}\nprintf '%s' "$OTEL_RESOURCE_ATTRIBUTES"`;
    const ran = spawnSync('sh', ['-c', script], {
      cwd: folder,
      env: { PATH: process.env['PATH'], TEXT: text },
      encoding: 'utf8',
    });
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(readdirSync(folder).toSorted()).toEqual(files);
    return ran.stdout;
  };

  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      "';touch pwned;'",
      '$(touch pwned)',
      '`touch pwned`',
      '"; touch pwned; "',
      'a\ntouch pwned',
      '*',
      '[a-z]',
      '~',
      '%',
      '%zz',
      'a=b,c=d',
      '\\',
      '\u0000',
      '\ud800',
      ' ',
    ),
  );
  // A name of spaces alone is none, and Node's SDK loses the name of a prototype.
  const isName = (name: string): boolean => name.trim() !== '' && name !== '__proto__';
  const names = fc.dictionary(hostile.filter(isName), hostile, { maxKeys: 4 });

  test.each(['eval $(printf %s "$TEXT")', 'eval "$(printf %s "$TEXT")"'])(
    'a shell takes it for values and nothing else: %s',
    (call) => {
      fc.assert(
        fc.property(names, (said) => {
          const { variables } = variablesFor({}, { said, supposed: {} });
          expect(variables['OTEL_RESOURCE_ATTRIBUTES']).toMatch(/^[\w.%=,/:-]*$/);
          const taken = evaluated(shellText(variables), call);
          expect(taken).toBe(variables['OTEL_RESOURCE_ATTRIBUTES']);
          const wellFormed = Object.entries(said).map(([name, value]) => [
            name.toWellFormed(),
            value.toWellFormed(),
          ]);
          expect(asSdkReads(taken)).toEqual(Object.fromEntries(wellFormed));
        }),
        { numRuns: 60, examples: [[{ valueOf: 'x' }], [{ x: '*' }], [{ x: "'; touch pwned '" }]] },
      );
    },
  );

  test('what was set before is kept in its sense, and never hides the deployment', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostile,
          hostile.map((text) => `a=${text}`),
        ),
        (before) => {
          const said = { 'deployment.id': '0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d' };
          const env = { OTEL_RESOURCE_ATTRIBUTES: before };
          const { variables } = variablesFor(env, { said, supposed: {} });
          expect(asSdkReads(variables['OTEL_RESOURCE_ATTRIBUTES'])).toMatchObject(said);
        },
      ),
    );
  });
});
