import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newKeyFile } from '../../adapters/ed25519/key-file.ts';

// A step of a pipeline as most of them are: a job of a CI that tells a gateway, which takes it at once.

/** What a CI says, as far as the command looks at it. */
export const stepJob = {
  CIRCLECI: 'true',
  CIRCLE_WORKFLOW_ID: '0b5e2f0f-4c5a-4a55-9f0c-0d3c1a2b3c4d',
  CIRCLE_SHA1: '5c3d1b7e9a0f4c2d8e6b1a3f5d7c9e0b2a4f6d81',
  CIRCLE_BRANCH: 'main',
  CIRCLE_REPOSITORY_URL: 'https://github.com/example/checkout',
};

export const stepWords: readonly string[] = [
  ...['release', 'log', '--component-name=checkout', '--target-version=2.0.0'],
];

export type StepPlace = {
  /** An empty folder but for the key. */
  readonly folder: string;
  readonly url: string;
  readonly env: { readonly [name: string]: string | undefined };
  readonly close: () => void;
};

/** A folder, a key and a gateway that takes everything. */
export const openStepPlace = async (): Promise<StepPlace> => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-step-'));
  const key = join(folder, 'ci.json');
  await newKeyFile({ principal: 'ci', path: key });
  const gateway = createServer((asked, answer) => {
    asked.resume().on('end', () => {
      const marker = asked.headers['ce-id'];
      const kind = String(asked.headers['ce-type']).split('.')[1];
      const receipt = { deployment: marker, attempt: 1, marker, kind, warning: null };
      answer.writeHead(201, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ ...receipt, delivery: 'stored', code: null, position: 7 }));
    });
  });
  await new Promise<void>((up) => gateway.listen(0, '127.0.0.1', up));
  const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  return {
    folder,
    url,
    env: { ...stepJob, PLIMSOLL_URL: url, PLIMSOLL_KEY: key, PATH: process.env['PATH'] },
    close: () => {
      gateway.close();
      gateway.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** Runs the step once by a launcher. Rejects where the gateway did not take it. */
export const runStep = async (
  { folder, env }: StepPlace,
  launcher: string,
  more: { readonly [name: string]: string } = {},
): Promise<void> => {
  await promisify(execFile)(
    process.execPath,
    [launcher, ...stepWords, '--strict', '--timeout=60s'],
    { cwd: folder, env: { ...env, ...more } },
  );
};
