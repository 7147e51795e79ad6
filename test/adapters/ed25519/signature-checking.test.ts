import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { createCrypto } from '../../../services/adapters/ed25519/crypto.ts';
import { createSignatureChecking } from '../../../services/adapters/ed25519/signature-checking.ts';
import type { SignatureCheckingOptions } from '../../../services/adapters/ed25519/signature-checking.ts';
import { createMemorySigner } from '../../../services/adapters/memory/signer.ts';
import type {
  SignedMessage,
  SignatureChecking,
} from '../../../services/ports/signature-checking.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const crypto = createCrypto();
const signer = createMemorySigner('ci', 'verifying');

/** Every third signature is of another message; two have no length that a signature has. */
const signed = async (count: number): Promise<readonly SignedMessage[]> => {
  const messages = Array.from({ length: count }, (_, at) => Buffer.from(`message ${at}`));
  return Promise.all(
    messages.map(async (message, at): Promise<SignedMessage> => {
      const signature = await signer.sign(at % 3 === 0 ? Buffer.from('another') : message);
      const isShort = at === 7 || at === count - 2;
      return {
        publicKey: signer.publicKey,
        message,
        signature: isShort ? signature.subarray(1) : signature,
      };
    }),
  );
};

const inThread = (all: readonly SignedMessage[]): readonly boolean[] =>
  all.map(({ publicKey, message, signature }) =>
    crypto.verify('ed25519', publicKey, message, signature),
  );

const opened: SignatureChecking[] = [];
const open = (options: Omit<SignatureCheckingOptions, 'crypto'>): SignatureChecking => {
  const verifying = createSignatureChecking({ crypto, ...options });
  opened.push(verifying);
  return verifying;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (verifying) => verifying.close()));
});

/** A thread that does what its file says. */
const workerThat = (does: string): URL => {
  const path = join(scratchFolder(), 'worker.mjs');
  writeFileSync(path, `import { parentPort } from 'node:worker_threads';\n${does}\n`);
  return pathToFileURL(path);
};

describe.each([
  ['this thread alone', { threads: 0 }],
  ['two more threads', { threads: 2, startAfter: 0 }],
  ['threads that start while it goes on', { threads: 2, startAfter: 150 }],
] as const)('on %s', (_how, options) => {
  test('the answers are those of one check after the other, in order', async () => {
    const verifying = open(options);
    const all = await signed(100);
    const answers = await Promise.all([
      verifying.verifyAll(all),
      verifying.verifyAll(all.slice(3)),
      verifying.verifyAll([]),
    ]);
    expect(answers).toEqual([inThread(all), inThread(all.slice(3)), []]);
    expect(await verifying.verifyAll(all)).toEqual(inThread(all));
  });

  test('after it was closed it answers by itself', async () => {
    const verifying = open(options);
    const all = await signed(40);
    const asked = verifying.verifyAll(all);
    await verifying.close();
    expect([await asked, await verifying.verifyAll(all)]).toEqual([inThread(all), inThread(all)]);
  });
});

describe.each([
  ['ends at once', 'process.exit(1);'],
  ['cannot be started', 'throw new Error("no");'],
  ['ends when it is asked', "parentPort.on('message', () => process.exit(0));"],
  [
    'answers too little',
    "parentPort.on('message', () => parentPort.postMessage(new Uint8Array(1)));",
  ],
])('a thread that %s', (_how, does) => {
  test('is done without', async () => {
    const verifying = open({ threads: 2, startAfter: 0, workerFile: workerThat(does) });
    const all = await signed(300);
    expect(await verifying.verifyAll(all)).toEqual(inThread(all));
    expect(await verifying.verifyAll(all)).toEqual(inThread(all));
  });
});

test('threads keep no process alive', async () => {
  const verifying = new URL(
    '../../../services/adapters/ed25519/signature-checking.ts',
    import.meta.url,
  );
  const cryptoFile = new URL('../../../services/adapters/ed25519/crypto.ts', import.meta.url);
  const path = join(scratchFolder(), 'program.mjs');
  writeFileSync(
    path,
    `import { createSignatureChecking } from ${JSON.stringify(verifying.href)};
import { createCrypto } from ${JSON.stringify(cryptoFile.href)};
const verifying = createSignatureChecking({ crypto: createCrypto(), threads: 2, startAfter: 0 });
const message = { publicKey: new Uint8Array(32), message: new Uint8Array(9), signature: new Uint8Array(64) };
const answers = await verifying.verifyAll(Array.from({ length: 100 }, () => message));
console.log(answers.length);`,
  );
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path]);
  let out = '';
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
  const [code] = (await once(child, 'exit')) as [number];
  expect([code, out]).toEqual([0, '100\n']);
});
