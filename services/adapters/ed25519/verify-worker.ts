import { parentPort } from 'node:worker_threads';
import { createCrypto } from './crypto.ts';
import { verifyPacked } from './packed.ts';

// One further core for signature checks. It gets messages packed into one buffer and answers one byte for each.

const crypto = createCrypto();

parentPort?.on('message', (packed: Uint8Array) => {
  const answers = verifyPacked(crypto, packed);
  parentPort?.postMessage(answers, [answers.buffer]);
});
