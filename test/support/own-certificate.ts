import { generateKeyPairSync, sign } from 'node:crypto';

// A certificate that nobody has signed but its own key: X.509 v1 (RFC 5280, 4.1) in DER, Ed25519 (RFC 8410).

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : [0x82, Math.floor(length / 0x100), length % 0x100];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};

const [integer, bitString, oid, utf8, time, sequence, set] = [2, 3, 6, 12, 24, 0x30, 0x31];
const ed25519 = der(sequence, der(oid, Buffer.from([0x2b, 0x65, 0x70])));
const commonName = der(oid, Buffer.from([0x55, 0x04, 0x03]));
const at = (year: number): Buffer => der(time, Buffer.from(`${year}0101000000Z`));
const inBits = (bytes: Buffer): Buffer => der(bitString, Buffer.from([0]), bytes);

/** A key and a certificate for `localhost`, in PEM. */
export const ownCertificate = (): { readonly key: string; readonly cert: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const name = der(
    sequence,
    der(set, der(sequence, commonName, der(utf8, Buffer.from('localhost')))),
  );
  const signed = der(
    sequence,
    der(integer, Buffer.from([1])),
    ed25519,
    name,
    der(sequence, at(2020), at(2120)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
  );
  const whole = der(sequence, signed, ed25519, inBits(sign(null, signed, privateKey)));
  const lines = whole.toString('base64').replace(/(.{64})/g, '$1\n');
  return {
    key: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
};
