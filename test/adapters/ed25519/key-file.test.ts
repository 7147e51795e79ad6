import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  newKeyFile,
  publicHalfPath,
  readKeyFile,
  readPublicKeyFile,
} from '../../../services/adapters/ed25519/key-file.ts';
import { keyIdFor } from '../../../services/adapters/ed25519/principal.ts';
import { createMemorySigner } from '../../../services/adapters/memory/signer.ts';
import type { Signer } from '../../../services/ports/signer.ts';
import { signerContract, spellingsOf } from '../../contract/signer.contract.ts';
import { createHash } from 'node:crypto';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-keys-'));
  path = join(folder, 'ci.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const made = async (): Promise<{ readonly signer: Signer; readonly publicPath: string }> => {
  const key = await newKeyFile({ principal: 'ci@checkout', path });
  if (!key.ok) throw new Error(key.problem.message);
  return key.value;
};
const fileAt = (place: string): { [name: string]: unknown } =>
  JSON.parse(readFileSync(place, 'utf8')) as { [name: string]: unknown };
const write = (content: unknown): void => {
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(path, 0o600);
};
const seedAt = (place: string): Uint8Array =>
  Buffer.from(String(fileAt(place)['privateKey']), 'base64').subarray(-32);

signerContract('key file', async () => {
  const { signer } = await made();
  const again = async (): Promise<Signer> => {
    const read = await readKeyFile(path);
    if (!read.ok) throw new Error(read.problem.message);
    return read.value;
  };
  return { signer, again, secrets: spellingsOf(seedAt(path)) };
});

signerContract('memory signer', async () => ({
  signer: createMemorySigner('ci@checkout', 'a seed'),
  again: async () => createMemorySigner('ci@checkout', 'a seed'),
  secrets: spellingsOf(createHash('sha256').update('a seed').digest()),
}));

describe('a new key', () => {
  test('is a file for its owner alone, with the public half beside it', async () => {
    const { signer, publicPath } = await made();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(publicPath).toBe(join(folder, 'ci.pub.json'));
    expect(fileAt(path)).toEqual({
      format: 'plimsoll-key',
      version: 1,
      algorithm: 'ed25519',
      principal: 'ci@checkout',
      keyId: signer.keyId,
      publicKey: Buffer.from(signer.publicKey).toString('base64'),
      privateKey: expect.stringMatching(/^MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}$/),
    });
    expect(readdirSync(folder).toSorted()).toEqual(['ci.json', 'ci.pub.json']);
  });

  test('is one line without blanks, which a CI can mask; written over several it is read, too', async () => {
    const { signer } = await made();
    expect(readFileSync(path, 'utf8')).toMatch(/^\S+\n$/);
    write(JSON.stringify(fileAt(path), null, 2));
    expect(await readKeyFile(path)).toMatchObject({ ok: true, value: { keyId: signer.keyId } });
  });

  test('can be opened by other tools: its private half is PKCS #8', async () => {
    await made();
    const head = '302e020100300506032b657004220420';
    const der = Buffer.from(String(fileAt(path)['privateKey']), 'base64').toString('hex');
    expect(der.slice(0, head.length)).toBe(head);
  });

  test('has a public half that tells what an administrator needs and no more', async () => {
    const { signer, publicPath } = await made();
    const text = readFileSync(publicPath, 'utf8');
    for (const secret of spellingsOf(seedAt(path))) expect(text).not.toContain(secret);
    expect(text).not.toContain('private');
    expect(await readPublicKeyFile(publicPath)).toEqual({
      ok: true,
      value: {
        principal: 'ci@checkout',
        keyId: signer.keyId,
        algorithm: 'ed25519',
        publicKey: signer.publicKey,
      },
    });
  });

  test('is another one each time', async () => {
    const { signer } = await made();
    path = join(folder, 'second.json');
    expect((await made()).signer.keyId).not.toBe(signer.keyId);
  });

  test.each(['ci.json', 'ci.pub.json'])('never replaces a file that is there: %s', async (file) => {
    writeFileSync(join(folder, file), 'mine');
    expect(await newKeyFile({ principal: 'ci', path })).toMatchObject({
      ok: false,
      problem: { code: 'key-file-exists' },
    });
    expect(readFileSync(join(folder, file), 'utf8')).toBe('mine');
    expect(readdirSync(folder)).toEqual([file]);
  });

  test('is made by one of many who try at once, and the file is whole', async () => {
    const tries = await Promise.all(
      Array.from({ length: 8 }, () => newKeyFile({ principal: 'ci', path })),
    );
    const winners = tries.filter((one) => one.ok);
    expect(winners).toHaveLength(1);
    expect(await readKeyFile(path)).toMatchObject({
      ok: true,
      value: { keyId: winners[0]?.value.signer.keyId },
    });
    expect(readdirSync(folder).filter((file) => file.endsWith('.new'))).toEqual([]);
  });

  test('needs a folder', async () => {
    expect(
      await newKeyFile({ principal: 'ci', path: join(folder, 'no', 'ci.json') }),
    ).toMatchObject({
      ok: false,
      problem: { code: 'key-file-not-written' },
    });
  });

  test.each(['', 'two words', 'line\nfeed', 'caffè', 'x'.repeat(129)])(
    'needs a principal that is one printable word: %j',
    async (principal) => {
      expect(await newKeyFile({ principal, path })).toMatchObject({
        ok: false,
        problem: { code: 'principal-invalid' },
      });
      expect(existsSync(path)).toBe(false);
    },
  );

  test('names its public half after itself', () => {
    expect(publicHalfPath('keys/ci.json')).toBe('keys/ci.pub.json');
    expect(publicHalfPath('keys/ci')).toBe('keys/ci.pub.json');
  });
});

describe('a key file is refused', () => {
  test.each([0o644, 0o640, 0o604, 0o660, 0o620, 0o601])(
    'when others have any right to it, and it is said what to do: %o',
    async (mode) => {
      await made();
      chmodSync(path, mode);
      const read = await readKeyFile(path);
      expect(read).toMatchObject({ ok: false, problem: { code: 'key-file-exposed' } });
      expect(read).toMatchObject({
        problem: { hint: expect.stringContaining(`chmod 600 ${path}`) },
      });
    },
  );

  test('when it is not there, or not a file', async () => {
    expect(await readKeyFile(path)).toMatchObject({
      problem: {
        code: 'key-file-missing',
        hint: expect.stringMatching(/after plimsoll migrate .* --key or PLIMSOLL_KEY/),
      },
    });
    expect(await readKeyFile(folder)).toMatchObject({ problem: { code: 'key-file-not-readable' } });
  });

  test('when it is cut off anywhere', async () => {
    await made();
    const whole = readFileSync(path, 'utf8').trimEnd();
    for (let length = 0; length < whole.length; length++) {
      write(whole.slice(0, length));
      expect(await readKeyFile(path)).toMatchObject({ problem: { code: 'key-file-malformed' } });
    }
  });

  test.each([
    ['another format', { format: 'ssh' }, 'key-file-malformed'],
    ['the public half', { format: 'plimsoll-public-key' }, 'key-file-malformed'],
    ['a later version', { version: 2 }, 'key-file-unsupported'],
    ['another algorithm', { algorithm: 'p256' }, 'key-file-unsupported'],
    ['a principal of two lines', { principal: 'a\nb' }, 'key-file-malformed'],
    ['no private key', { privateKey: undefined }, 'key-file-malformed'],
    ['a private key that is not base64', { privateKey: 'MC4C*' }, 'key-file-malformed'],
    ['a private key of another kind', { privateKey: 'AAAA' }, 'key-file-malformed'],
    [
      'a public key of 31 bytes',
      { publicKey: Buffer.alloc(31).toString('base64') },
      'key-file-malformed',
    ],
    [
      'the public key of another',
      { publicKey: Buffer.alloc(32, 9).toString('base64') },
      'key-file-mismatch',
    ],
    ['the name of another', { principal: 'ops' }, 'key-file-mismatch'],
    ['the key id of another', { keyId: '0000000000000000' }, 'key-file-mismatch'],
    ['a key id that is none', { keyId: 'x' }, 'key-file-malformed'],
  ])('when it holds %s', async (_name, change, code) => {
    await made();
    write({ ...fileAt(path), ...change });
    expect(await readKeyFile(path)).toMatchObject({ ok: false, problem: { code } });
  });

  test.each(['null', '7', '[]', '""', '{}', 'x'.repeat(9000)])('when it is %.20j', async (text) => {
    write(text);
    expect(await readKeyFile(path)).toMatchObject({ problem: { code: 'key-file-malformed' } });
  });

  test('and whatever is wrong with it, the answer does not show the key', async () => {
    await made();
    const text = readFileSync(path, 'utf8');
    const key = String(fileAt(path)['privateKey']);
    const pieces = Array.from({ length: key.length - 6 }, (_, at) => key.slice(at, at + 6));
    const start = text.indexOf(key);
    const spoiled = Array.from({ length: key.length }, (_, at) => [
      text.slice(0, start + at),
      `${text.slice(0, start + at)}"${text.slice(start + at)}`,
      `${text.slice(0, start - 1)}${text.slice(start + at)}`,
      `${text.slice(0, start + at)}*${text.slice(start + at + 1)}`,
    ]).flat();
    for (const content of spoiled) {
      write(content);
      const shown = inspect(await readKeyFile(path), { depth: null, showHidden: true });
      expect(shown).toContain('key-file-');
      expect(pieces.filter((piece) => shown.includes(piece))).toEqual([]);
    }
  });
});

test('the wrong half is told as such, and which one is wanted', async () => {
  const { publicPath } = await made();
  expect(await readKeyFile(publicPath)).toMatchObject({
    problem: {
      message: `${publicPath}: this is the public half of a key`,
      hint: `sign with ${path}`,
    },
  });
  const wrong = await readPublicKeyFile(path);
  expect(wrong).toMatchObject({
    problem: {
      message: `${path}: this is the private key`,
      hint: expect.stringContaining(publicPath),
    },
  });
  expect(inspect(wrong, { depth: null })).not.toContain(String(fileAt(path)['privateKey']));
});

test('a public half that was edited is refused', async () => {
  const { publicPath } = await made();
  writeFileSync(publicPath, JSON.stringify({ ...fileAt(publicPath), principal: 'admin' }));
  expect(await readPublicKeyFile(publicPath)).toMatchObject({
    problem: { code: 'key-file-mismatch' },
  });
});

test('a key id is the first 8 bytes of SHA-256 over name, line feed, type and key', () => {
  const publicKey = new Uint8Array(32).fill(5);
  const input = Buffer.concat([Buffer.from('ci\n\u0001'), publicKey]);
  const digest = createHash('sha256').update(input).digest('hex');
  expect(keyIdFor('ci', publicKey)).toBe(digest.slice(0, 16));
});
