import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  promises as files,
  readFileSync,
  readSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Signer } from '../../ports/signer.ts';
import { pkcs8Of, publicKeyBytes, seedBytes, seedOf } from './encodings.ts';
import { isPrincipal, keyIdFor } from './principal.ts';
import { createSigner } from './signer.ts';
import { decodeBase64, encodeBase64 } from './text.ts';
import { codeOf } from '../system/error-code.ts';
import { whatLiesAt } from '../system/plain-file.ts';
import { syncFolder } from '../system/sync-folder.ts';

/** Why a key file could not be read or written. No message ever holds what a file contains. */
export type KeyProblem = {
  readonly code:
    | 'principal-invalid'
    | 'key-file-exists'
    | 'key-file-not-written'
    | 'key-file-missing'
    | 'key-file-not-readable'
    | 'key-file-exposed'
    | 'key-file-malformed'
    | 'key-file-unsupported'
    | 'key-file-mismatch';
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
};

/** The half of a key that may be shown: what an administrator needs to trust it. */
export type PublicKeyHalf = {
  readonly principal: string;
  readonly keyId: string;
  readonly algorithm: 'ed25519';
  readonly publicKey: Uint8Array;
};

const keyFormat = 'plimsoll-key';
const publicFormat = 'plimsoll-public-key';
const fileBytesMax = 8 * 1024;
const ownerOnly = 0o600;
const everyoneReads = 0o644;
const othersMask = 0o077;

/** `ci.json` or `ci` has its public half in `ci.pub.json`. */
export const publicHalfPath = (path: string): string => `${path.replace(/\.json$/, '')}.pub.json`;

/**
 * Makes a key and writes it to `path`, for its owner alone, and its public half beside it. Each file appears
 * whole or not at all, and no file is ever replaced.
 */
export async function newKeyFile(wanted: {
  readonly principal: string;
  readonly path: string;
}): Promise<Result<{ readonly signer: Signer; readonly publicPath: string }, KeyProblem>> {
  const { principal, path } = wanted;
  if (!isPrincipal(principal))
    return problem(
      'principal-invalid',
      'the principal is not 1 to 128 printable ASCII characters without spaces',
      'name who signs, for instance ci@checkout',
    );
  const publicPath = publicHalfPath(path);
  // Asked first, so that a public half left behind does not stop us between the two files.
  if (await isThere(publicPath)) return alreadyThere(publicPath);
  const seed = randomBytes(seedBytes);
  const signer = createSigner({ principal, seed });
  const shared = {
    version: 1,
    algorithm: 'ed25519',
    principal,
    keyId: signer.keyId,
    publicKey: encodeBase64(signer.publicKey),
  };
  const privateKey = encodeBase64(pkcs8Of(seed));
  seed.fill(0);

  const secret = await writeWhole(path, { format: keyFormat, ...shared, privateKey }, ownerOnly);
  if (!secret.ok) return secret;
  // If we stop here the key is whole and usable; only the copy for the administrator is missing.
  const shown = await writeWhole(publicPath, { format: publicFormat, ...shared }, everyoneReads);
  return shown.ok ? ok({ signer, publicPath }) : shown;
}

/** The signer of a key file. A file that anyone but its owner may read is refused. */
export async function readKeyFile(path: string): Promise<Result<Signer, KeyProblem>> {
  const read = await readSmallFile(path);
  if (!read.ok) return read;
  const { text, isExposed } = read.value;
  // A public half may be read by all; what is wrong with it is another thing.
  if (isExposed && !isOfFormat(text, publicFormat))
    return problem(
      'key-file-exposed',
      `${path}: others than its owner may read this key`,
      `chmod 600 ${path}, and make a new key if somebody may have read it`,
    );
  const fields = parseFields(path, text, keyFormat);
  if (!fields.ok) return fields;
  const { principal, keyId, publicKey, privateKey } = fields.value;
  const pkcs8 = decodeBase64(privateKey ?? '');
  const seed = pkcs8 === undefined ? undefined : seedOf(pkcs8);
  if (seed === undefined)
    return malformed(path, 'its privateKey is not an Ed25519 key (PKCS #8) in base64');
  const signer = createSigner({ principal, seed });
  seed.fill(0);
  if (!Buffer.from(publicKey).equals(signer.publicKey) || keyId !== signer.keyId)
    return problem(
      'key-file-mismatch',
      `${path}: the private key does not belong to the public key beside it`,
      'the file was edited or mixed up: take it from a backup, or make a new key',
    );
  return ok(signer);
}

/** The public half, from the file made to be sent to an administrator. */
export async function readPublicKeyFile(path: string): Promise<Result<PublicKeyHalf, KeyProblem>> {
  const read = await readSmallFile(path);
  if (!read.ok) return read;
  const fields = parseFields(path, read.value.text, publicFormat);
  if (!fields.ok) return fields;
  const { principal, keyId, publicKey } = fields.value;
  if (keyId !== keyIdFor(principal, publicKey))
    return problem(
      'key-file-mismatch',
      `${path}: the key id does not belong to this principal and public key`,
      'ask the owner of the key to send the file again',
    );
  return ok({ principal, keyId, algorithm: 'ed25519', publicKey });
}

type Fields = {
  readonly principal: string;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly privateKey: string | undefined;
};

function parseFields(path: string, text: string, format: string): Result<Fields, KeyProblem> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text around the fault, which may be the key.
    return malformed(path, 'it is not JSON, or it was cut off');
  }
  if (typeof parsed !== 'object' || parsed === null)
    return malformed(path, 'it is not a JSON object');
  const file = parsed as { readonly [name: string]: unknown };
  if (file['format'] === publicFormat && format === keyFormat)
    return problem(
      'key-file-malformed',
      `${path}: this is the public half of a key`,
      `sign with ${path.endsWith('.pub.json') ? path.replace(/\.pub\.json$/, '.json') : 'the private half'}`,
    );
  if (file['format'] === keyFormat && format === publicFormat)
    return problem(
      'key-file-malformed',
      `${path}: this is the private key`,
      `keep it; an administrator needs its public half ${publicHalfPath(path)}`,
    );
  if (file['format'] !== format) return malformed(path, `its format is not ${format}`);
  if (file['version'] !== 1 || file['algorithm'] !== 'ed25519')
    return problem(
      'key-file-unsupported',
      `${path}: only version 1 with the algorithm ed25519 is known here`,
      'use the release of plimsoll that made the file, or a newer one',
    );
  const { principal, keyId, publicKey, privateKey } = file;
  if (typeof principal !== 'string' || !isPrincipal(principal))
    return malformed(path, 'its principal is not printable ASCII without spaces');
  if (typeof keyId !== 'string' || !/^[0-9a-f]{16}$/.test(keyId))
    return malformed(path, 'its keyId is not 16 hex digits');
  const publicBytes = typeof publicKey === 'string' ? decodeBase64(publicKey) : undefined;
  if (publicBytes?.length !== publicKeyBytes)
    return malformed(path, `its publicKey is not ${publicKeyBytes} bytes in base64`);
  return ok({
    principal,
    keyId,
    publicKey: publicBytes,
    privateKey: typeof privateKey === 'string' ? privateKey : undefined,
  });
}

function isOfFormat(text: string, format: string): boolean {
  try {
    return (JSON.parse(text) as { readonly format?: unknown } | null)?.format === format;
  } catch {
    return false;
  }
}

/** Mode and text come from one open file, so that neither can be exchanged in between. */
async function readSmallFile(path: string): Promise<SmallFile> {
  try {
    const about = await whatLiesAt(path);
    if (about === null)
      return problem(
        'key-file-missing',
        `${path}: there is no such file`,
        "plimsoll keys new makes a key; after plimsoll migrate keys are still in the old folder's keys/: copy that, or name the file by --key or PLIMSOLL_KEY",
      );
    return about.isFIFO() ? await readPipe(path) : readAtOnce(path);
  } catch (cause) {
    return notReadable(path, errorCode(cause));
  }
}

type SmallFile = Result<{ readonly text: string; readonly isExposed: boolean }, KeyProblem>;

function readAtOnce(path: string): SmallFile {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const about = fstatSync(file);
    return unfit(path, about) ?? ok({ text: readFileSync(file, 'utf8'), ...exposure(about) });
  } finally {
    closeSync(file);
  }
}

const pipeLookedAtEveryMs = 10;

/** As from `<(…)` of a shell. Opened so that nobody is waited for: what nobody writes to is at its end. */
async function readPipe(path: string): Promise<SmallFile> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(fileBytesMax + 1);
    let size = 0;
    while (size < bytes.length) {
      const count = readNow(file, bytes, size);
      if (count === 0) break;
      if (count === undefined) await new Promise((done) => setTimeout(done, pipeLookedAtEveryMs));
      else size += count;
    }
    if (size > fileBytesMax) return malformed(path, `it is longer than ${fileBytesMax} bytes`);
    if (size === 0) return notReadable(path, 'it is a pipe that nobody writes to');
    return ok({ text: bytes.toString('utf8', 0, size), ...exposure(fstatSync(file)) });
  } finally {
    closeSync(file);
  }
}

/** Undefined: somebody has it open to write, and has written nothing more yet. */
const readNow = (file: number, bytes: Buffer, from: number): number | undefined => {
  try {
    return readSync(file, bytes, from, bytes.length - from, null);
  } catch (cause) {
    if (errorCode(cause) === 'EAGAIN') return undefined;
    throw cause;
  }
};

const unfit = (path: string, about: Stats): Result<never, KeyProblem> | undefined => {
  if (about.isDirectory()) return notReadable(path, 'it is a folder');
  if (!about.isFile()) return notReadable(path, 'it is no file');
  return about.size > fileBytesMax
    ? malformed(path, `it is longer than ${fileBytesMax} bytes`)
    : undefined;
};

/** Windows keeps its rights elsewhere and reports the same mode for every file. */
const exposure = (about: Stats): { readonly isExposed: boolean } => ({
  isExposed: process.platform !== 'win32' && (about.mode & othersMask) !== 0,
});

/**
 * Under a temporary name first, then linked into place: unlike a rename, a link never replaces a file. If
 * we stop in between, a file `.new` is left that nobody reads.
 */
async function writeWhole(
  path: string,
  content: object,
  mode: number,
): Promise<Result<undefined, KeyProblem>> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = await files.open(temporary, 'wx', mode);
    try {
      // One line without blanks: CIs mask no other text (a principal has none).
      await file.writeFile(`${JSON.stringify(content)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.link(temporary, path);
    await syncFolder(files, dirname(path));
    return ok(undefined);
  } catch (cause) {
    return errorCode(cause) === 'EEXIST'
      ? alreadyThere(path)
      : problem(
          'key-file-not-written',
          `${path}: cannot be written (${errorCode(cause)})`,
          'name a folder that exists and that this user may write to',
        );
  } finally {
    await files.unlink(temporary).catch(() => undefined);
  }
}

const notReadable = (path: string, why: string): Result<never, KeyProblem> =>
  problem(
    'key-file-not-readable',
    `${path}: cannot be read (${why})`,
    'name a key file that this user may read',
  );

const isThere = (path: string): Promise<boolean> =>
  files.access(path).then(
    () => true,
    () => false,
  );

const alreadyThere = (path: string): Result<never, KeyProblem> =>
  problem(
    'key-file-exists',
    `${path}: is there already, and a key is never replaced`,
    'choose another name, or move the old file away',
  );

const errorCode = (cause: unknown): string => codeOf(cause) ?? 'no reason given';

const malformed = (path: string, why: string): Result<never, KeyProblem> =>
  problem('key-file-malformed', `${path}: ${why}`, 'take it from a backup, or make a new key');

const problem = (
  code: KeyProblem['code'],
  message: string,
  hint: string,
): Result<never, KeyProblem> => fail({ code, message, hint });
