import { createHash, type KeyObject } from "node:crypto";
import { z } from "zod";
import { chain } from "../entry.ts";
import { type Checkpoint, isGenuine } from "./checkpoint.ts";
import { type ExportCount, endText } from "./export.ts";
import { isSigned, keyId, verifyingKey } from "./signing.ts";

/** Checks an export without a store or a node: whoever has the file and the public key can. */

export interface AuditProblem {
  /** From 1. */
  readonly line: number;
  readonly instance?: string;
  readonly problem: string;
}

export interface Audit extends ExportCount {
  readonly problems: readonly AuditProblem[];
  /**
   * `given`: the end is signed by a key that the caller trusts. `own`: by the one that the file names itself, so that it could
   * have been made by anybody. `none`: it is not signed.
   */
  readonly signed: "given" | "own" | "none";
}

/** So many are told; more are counted as one more. */
const PROBLEMS_MAX = 100;

const lineShape = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("assent-export"),
    format: z.literal(1),
    at: z.number(),
    publicKey: z.string().optional(),
  }),
  z.object({
    kind: z.literal("checkpoint"),
    checkpoint: z.object({
      tenant: z.string(),
      instance: z.string(),
      sequence: z.int(),
      hash: z.string(),
      snapshotHash: z.string(),
      at: z.number(),
      signer: z.string(),
      signature: z.string(),
    }),
  }),
  z.object({
    kind: z.literal("entry"),
    tenant: z.string(),
    instance: z.string(),
    sequence: z.int(),
    at: z.number(),
    hash: z.string(),
    body: z.string(),
  }),
  z.object({
    kind: z.literal("end"),
    instances: z.int(),
    entries: z.int(),
    checkpoints: z.int(),
    sha256: z.string(),
    signature: z.string().optional(),
  }),
]);

type Line = z.infer<typeof lineShape>;
type LineOf<Kind extends Line["kind"]> = Extract<Line, { kind: Kind }>;

/**
 * @param lines of the file, without their line breaks.
 * @param trusted public keys; none: the key that the file names is taken.
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  trusted: readonly KeyObject[] = [],
): Promise<Audit> {
  const verifier = new Verifier(trusted);
  for await (const line of lines) if (line !== "") verifier.take(line);
  return verifier.end();
}

/** Where the chain of an instance stands. */
interface Link {
  readonly name: string;
  readonly sequence: number;
  readonly hash: string;
}

class Verifier {
  readonly #trusted: readonly KeyObject[];
  #keys: ReadonlyMap<string, KeyObject>;
  readonly #sum = createHash("sha256");
  readonly #seen = new Set<string>();
  readonly #problems: AuditProblem[] = [];
  readonly #count = { instances: 0, entries: 0, checkpoints: 0 };
  #line = 0;
  #link: Link | undefined;
  #signed: Audit["signed"] = "none";
  #ended = false;

  constructor(trusted: readonly KeyObject[]) {
    this.#trusted = trusted;
    this.#keys = new Map(trusted.map((key) => [keyId(key), key]));
  }

  take(text: string): void {
    this.#line += 1;
    const line = readLine(text);
    if (this.#ended) this.#tell("there is something behind the end");
    else if (!line) this.#tell("it is not a line of an export");
    else this.#takeLine(line);
    this.#sum.update(`${text}\n`);
  }

  end(): Audit {
    if (!this.#ended) this.#tell("the end is missing: the file was cut off");
    return { ...this.#count, problems: this.#problems, signed: this.#signed };
  }

  #takeLine(line: Line): void {
    if ((this.#line === 1) !== (line.kind === "assent-export"))
      this.#tell("an export begins with its head, and has one");
    switch (line.kind) {
      case "assent-export":
        this.#takeHead(line);
        break;
      case "checkpoint":
        this.#takeCheckpoint(line.checkpoint);
        break;
      case "entry":
        this.#takeEntry(line);
        break;
      case "end":
        this.#takeEnd(line);
    }
  }

  #takeHead({ publicKey }: LineOf<"assent-export">): void {
    if (this.#trusted.length > 0 || publicKey === undefined) return;
    try {
      const key = verifyingKey(publicKey);
      this.#keys = new Map([[keyId(key), key]]);
    } catch {
      this.#tell("the public key that it names is none");
    }
  }

  #takeCheckpoint(checkpoint: Checkpoint): void {
    const { tenant, instance, sequence, hash, signer } = checkpoint;
    this.#count.checkpoints += 1;
    this.#begin(nameOf(tenant, instance), instance);
    this.#link = { name: nameOf(tenant, instance), sequence, hash };
    const key = this.#keys.get(signer);
    if (!key) this.#tell(`its checkpoint is signed by the key ${signer}, which was not given`, instance);
    else if (!isGenuine(checkpoint, key)) this.#tell("the signature of its checkpoint is wrong", instance);
  }

  #takeEntry({ tenant, instance, sequence, hash, body }: LineOf<"entry">): void {
    const name = nameOf(tenant, instance);
    this.#count.entries += 1;
    if (this.#link?.name !== name) {
      this.#begin(name, instance);
      this.#link = { name, sequence: 0, hash: "" };
    }
    const expected = this.#link.sequence + 1;
    if (sequence !== expected) this.#tell(`entry ${expected} is missing, ${sequence} comes instead`, instance);
    else if (chain(this.#link.hash, body) !== hash)
      this.#tell(`the chain of hashes breaks at entry ${sequence}`, instance);
    this.#link = { name, sequence, hash };
  }

  #begin(name: string, instance: string): void {
    this.#count.instances += 1;
    if (this.#seen.has(name)) this.#tell("it is there twice", instance);
    this.#seen.add(name);
  }

  #takeEnd(line: LineOf<"end">): void {
    this.#ended = true;
    const { instances, entries, checkpoints, sha256, signature } = line;
    const count = this.#count;
    if (instances !== count.instances || entries !== count.entries || checkpoints !== count.checkpoints)
      this.#tell(
        `it says ${instances} instances and ${entries} entries, and has ${count.instances} and ${count.entries}`,
      );
    if (this.#sum.copy().digest("hex") !== sha256) this.#tell("its lines are not those that were exported");
    if (signature === undefined) {
      if (this.#trusted.length > 0) this.#tell("it is not signed");
      return;
    }
    if (![...this.#keys.values()].some((key) => isSigned(key, endText(line), signature)))
      this.#tell("the signature at its end is wrong, or of a key that was not given");
    else this.#signed = this.#trusted.length > 0 ? "given" : "own";
  }

  #tell(problem: string, instance?: string): void {
    if (this.#problems.length < PROBLEMS_MAX)
      this.#problems.push({ line: this.#line, ...(instance !== undefined && { instance }), problem });
    else if (this.#problems.length === PROBLEMS_MAX) this.#problems.push({ line: this.#line, problem: "and more" });
  }
}

function readLine(text: string): Line | undefined {
  try {
    return lineShape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const nameOf = (tenant: string, instance: string): string => `${tenant}\u0000${instance}`;
