import { asideEntriesMax } from '../core/aside-fault.ts';
import { jsonFieldsIn } from '../core/json-text.ts';
import { preAuthenticationEncoding } from '../core/markers/wire.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { KeyState } from '../core/trust/trust.ts';
import { hasRole, keyProblem } from '../core/trust/trust.ts';
import { isWeakSignature } from '../core/trust/weak-keys.ts';
import type { AnalyserPorts } from './ports.ts';

// Texts that analysers keep for each other beside the read models. The store may lose them, or give an older one: that
// costs time. What it can not do is change one, because an analyser's key has signed it with the name it is kept under.

/** What a text is for. It is part of what is signed. */
export type SealedKind = 'snapshot' | 'noise' | 'evidence';

export type SealedProblem = {
  readonly code: 'too-large' | 'not-kept';
  readonly message: string;
};

/** Characters of one entry of the store; below what it takes of any. */
const chunkMax = 60_000;
/** Characters of a whole text: what one write of the store takes, with the removal of another as long. */
export const sealedTextMax: number = 24 * 1024 * 1024;

type Head = {
  readonly chunks: number;
  readonly keyId: string;
  readonly signature: string;
};

type Ports = Pick<AnalyserPorts, 'audience' | 'store' | 'tools' | 'signer'>;

/** Keeps a text of printable ASCII under a name, in place of the one before, whole or not at all. */
export const keepSealed = async (
  { audience, store, tools, signer }: Ports,
  kind: SealedKind,
  name: string,
  text: string,
): Promise<Result<void, SealedProblem>> => {
  if (text.length > sealedTextMax)
    return fail({
      code: 'too-large',
      message: `${text.length} characters; ${sealedTextMax} are kept`,
    });
  const signature = await signer.sign(message(tools, audience, kind, name, text));
  const chunks = Math.max(1, Math.ceil(text.length / chunkMax));
  const head: Head = {
    chunks,
    keyId: signer.keyId,
    signature: tools.text.encodeBase64(signature),
  };
  const before = headIn((await readHead(store, kind, name)) ?? '');
  const entries = [
    { key: headKey(kind, name), value: JSON.stringify(head) as string | null },
    ...Array.from({ length: chunks }, (_, chunk) => ({
      key: chunkKey(kind, name, chunk),
      value: text.slice(chunk * chunkMax, (chunk + 1) * chunkMax) as string | null,
    })),
    ...Array.from({ length: Math.max(0, (before?.chunks ?? 0) - chunks) }, (_, more) => ({
      key: chunkKey(kind, name, chunks + more),
      value: null,
    })),
  ];
  const written = await store.aside.write(entries);
  return written.ok ? ok(undefined) : fail({ code: 'not-kept', message: written.problem.message });
};

/**
 * The text that is kept under the name; undefined: none, or none that a key in good standing has signed. A retired key
 * is in none: nobody can say when it signed.
 */
export const readSealed = async (
  { audience, store, tools }: Pick<Ports, 'audience' | 'store' | 'tools'>,
  keys: ReadonlyMap<string, KeyState>,
  kind: SealedKind,
  name: string,
): Promise<string | undefined> => {
  const head = headIn((await readHead(store, kind, name)) ?? '');
  if (head === undefined) return undefined;
  const chunkKeys = Array.from({ length: head.chunks }, (_, chunk) => chunkKey(kind, name, chunk));
  const read = await store.aside.read(chunkKeys);
  if (!read.ok) return undefined;
  // Written meanwhile: the signature is of the older one.
  const text = chunkKeys.map((key) => read.value.get(key) ?? '').join('');
  const signer = keys.get(head.keyId);
  const signature = tools.text.decodeBase64(head.signature);
  const isGood =
    signer !== undefined &&
    keyProblem(signer) === undefined &&
    hasRole(signer, 'analyser') &&
    signature !== undefined &&
    !isWeakSignature(signature) &&
    tools.crypto.verify(
      'ed25519',
      signer.publicKey,
      message(tools, audience, kind, name, text),
      signature,
    );
  return isGood ? text : undefined;
};

/** Its digest is signed: Ed25519 would go through a long text twice. */
const message = (
  { crypto, text }: AnalyserPorts['tools'],
  audience: string,
  kind: SealedKind,
  name: string,
  content: string,
): Uint8Array =>
  preAuthenticationEncoding(
    text,
    `application/vnd.plimsoll.${kind}.v1+json;name=${name};audience=${audience}`,
    text.encodeUtf8(crypto.sha256HexOfText(content)),
  );

const headKey = (kind: SealedKind, name: string): string => `${kind}/${name}`;
const chunkKey = (kind: SealedKind, name: string, chunk: number): string =>
  `${kind}/${name}#${chunk}`;

const readHead = async (
  store: AnalyserPorts['store'],
  kind: SealedKind,
  name: string,
): Promise<string | undefined> => {
  const key = headKey(kind, name);
  const read = await store.aside.read([key]);
  return read.ok ? read.value.get(key) : undefined;
};

/** The store is believed in nothing, in no number either. */
const headIn = (text: string): Head | undefined => {
  const head = jsonFieldsIn(text);
  if (head === undefined) return undefined;
  const { chunks, keyId, signature } = head;
  const isHead =
    typeof chunks === 'number' &&
    Number.isSafeInteger(chunks) &&
    chunks > 0 &&
    chunks < asideEntriesMax / 2 &&
    typeof keyId === 'string' &&
    typeof signature === 'string';
  return isHead ? { chunks, keyId, signature } : undefined;
};
