import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');
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
      await expect.poll(() => bodies.length, { timeout: 20_000 }).toBeGreaterThan(1);
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

test('links inside the README lead to headings that are there', () => {
  const anchors = new Set(
    [...readme.matchAll(/^#{1,4} (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
  const links = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !anchors.has(link))).toEqual([]);
});
