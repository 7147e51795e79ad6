import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTelemetryReader } from '../../services/adapters/otlp/metrics-request.ts';
import { readYaml } from '../../services/adapters/yaml/read-yaml.ts';
import { readDocumentText } from '../../services/core/canary/policy/parse-policy.ts';
import { documentFileBytesMax } from '../../services/core/canary/policy/policy-text.ts';
import { presets } from '../../services/core/canary/policy/presets.ts';
import { selectionOf } from '../../services/core/canary/policy/selection.ts';
import type { DecodedTelemetry } from '../../services/core/telemetry/telemetry-point.ts';
import { value } from '../support/records.ts';

// The README's first canary: what a newcomer copies from it must be what the door takes.

const repository = resolve(import.meta.dirname, '../..');
const readme = readFileSync(resolve(repository, 'README.md'), 'utf8');
const walk = readme.slice(
  readme.indexOf('## A canary, step by step'),
  readme.indexOf('## Telemetry: what is judged'),
);
const blockOf = (language: string, holding: string): string => {
  const found = [...walk.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].find(
    ([, name, text]) => name === language && text?.includes(holding),
  );
  if (found?.[2] === undefined) throw new Error(`no ${language} block holds ${holding}`);
  return found[2];
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-readme-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const pointsOf = (body: string): DecodedTelemetry =>
  value(
    openTelemetryReader()(Buffer.from(body), 'application/json', selectionOf([presets.standard])),
  );

describe("the README's first canary", () => {
  test('sends by curl what is taken without a refusal', () => {
    const script = blockOf('sh', 'curl');
    // The same shell text, with cat in place of curl: what would be sent.
    const body = execFileSync('sh', ['-c', script.replace(/curl [^<]*<</, 'cat <<')], {
      encoding: 'utf8',
    });
    const { points, rejected } = pointsOf(body);
    expect([points.length, rejected]).toEqual([1, []]);
  });

  test('has a service whose exports are taken without a refusal, and kept as a capture', async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.end('{}');
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const shop = blockOf('js', 'http.server.request.duration')
      .replace('127.0.0.1:4318', `127.0.0.1:${port}`)
      .replace('}, 5000);', '}, 300);');
    writeFileSync(join(folder, 'shop.mjs'), shop);
    const child = spawn(process.execPath, ['shop.mjs', '1.0.0', '0.5'], { cwd: folder });
    try {
      await expect.poll(() => bodies.length, { timeout: 50_000 }).toBeGreaterThan(1);
    } finally {
      child.kill();
      server.close();
    }
    const { points, rejected } = pointsOf(bodies.at(-1) ?? '');
    expect([points.length, rejected]).toEqual([2, []]);
    const captured = readFileSync(join(folder, 'capture.jsonl'), 'utf8').split('\n');
    expect(captured).toContain(bodies[0]);
  });

  test('has a policy that is taken', () => {
    const read = readYaml(blockOf('yaml', 'policies:'), documentFileBytesMax);
    if (!read.ok) throw new Error('no YAML');
    expect(readDocumentText(JSON.stringify(read.value.value))).toMatchObject({ ok: true });
  });
});

/** The headings of a page, as links name them. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...page.matchAll(/^#{1,4} (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

test.each(['README.md', 'services/replay/README.md'])(
  'links of %s lead to pages and headings that are there',
  (name) => {
    const path = resolve(repository, name);
    const page = readFileSync(path, 'utf8');
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const broken = links.filter(([, file = '', anchor]) => {
      const target = file === '' ? path : resolve(dirname(path), file);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
    });
    expect(links.length).toBeGreaterThan(0);
    expect(broken.map(([link]) => link)).toEqual([]);
  },
);
