import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A certificate for 127.0.0.1 that signs itself, valid until 2049, and its key; both as PEM. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** X.509 v3 with ECDSA on P-256, for tests of TLS. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
export function makeCertificate(commonName: string): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const content = toBeSigned(commonName, publicKey);
  const signature = sign("sha256", content, privateKey);
  const der = sequence(content, ECDSA_WITH_SHA256, bitString(signature));
  return {
    certificate: pem("CERTIFICATE", der),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function toBeSigned(commonName: string, publicKey: KeyObject): Buffer {
  const name = sequence(tag(0x31, sequence(oid(0x55, 0x04, 0x03), tag(0x0c, Buffer.from(commonName)))));
  const validity = sequence(utcTime("250101000000Z"), utcTime("491231235959Z"));
  const version = tag(0xa0, integer(2));
  const addresses = sequence(tag(0x87, Buffer.of(127, 0, 0, 1)));
  const isAuthority = sequence(tag(0x01, Buffer.of(0xff)));
  const extensions = tag(
    0xa3,
    sequence(
      sequence(oid(0x55, 0x1d, 0x11), octets(addresses)), // subjectAltName
      sequence(oid(0x55, 0x1d, 0x13), tag(0x01, Buffer.of(0xff)), octets(isAuthority)), // basicConstraints, critical
    ),
  );
  const key = publicKey.export({ type: "spki", format: "der" });
  return sequence(version, integer(1), ECDSA_WITH_SHA256, name, validity, name, key, extensions);
}

/** One value of DER, which is shorter than 64 KiB here. */
function tag(kind: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([kind, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tag(0x30, ...parts);
const oid = (...bytes: readonly number[]): Buffer => tag(0x06, Buffer.from(bytes));
const integer = (value: number): Buffer => tag(0x02, Buffer.of(value));
const octets = (content: Buffer): Buffer => tag(0x04, content);
const bitString = (content: Buffer): Buffer => tag(0x03, Buffer.of(0), content);
const utcTime = (text: string): Buffer => tag(0x17, Buffer.from(text));

/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
