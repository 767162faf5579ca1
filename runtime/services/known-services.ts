import { parseServiceSubject } from "../bus/subjects.ts";
import type { Bus, Clock, ServiceInstance } from "../ports.ts";

/** Older knowledge is still used, while the services are asked anew. */
const FRESH_MS = 10_000;
/** Who finds nothing may look again so soon. */
const LOOK_AGAIN_MS = 1_000;
/** How long their answers are waited for. */
const ANSWERS_MS = 200;

export type Labels = Readonly<Record<string, string>>;

/** A process of a service, by what it says of itself. */
export interface KnownService {
  /** In its subjects: what flows call it. */
  readonly name: string;
  readonly id: string;
  readonly labels: Labels;
  readonly functions: ReadonlySet<string>;
  /** Those that one can ask of this very process. */
  readonly ownFunctions: ReadonlySet<string>;
}

/** The services on the bus, as they tell of themselves when they are asked. Asked only while somebody needs them. */
export class KnownServices {
  readonly #bus: Pick<Bus, "discover">;
  readonly #clock: Pick<Clock, "steadyMs">;
  #all: readonly KnownService[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(bus: Pick<Bus, "discover">, clock: Pick<Clock, "steadyMs">) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Without waiting; asked anew meanwhile where it is old. */
  now(): readonly KnownService[] {
    if (this.#ageMs() > FRESH_MS) void this.look();
    return this.#all;
  }

  /** Those for which it holds; where there is none, after asking anew. */
  async find(holds: (service: KnownService) => boolean): Promise<readonly KnownService[]> {
    const found = this.now().filter(holds);
    if (found.length > 0 || this.#ageMs() < LOOK_AGAIN_MS) return found;
    await this.look();
    return this.#all.filter(holds);
  }

  /** Asks them now. While the bus is away what is known stays. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    try {
      this.#all = (await this.#bus.discover(ANSWERS_MS)).flatMap(knownServices);
    } catch {
      // A call tells the same, and better.
    }
    this.#lookedAtMs = this.#clock.steadyMs();
  }

  #ageMs(): number {
    return this.#clock.steadyMs() - this.#lookedAtMs;
  }
}

export const carries = ({ labels }: Pick<KnownService, "labels">, wanted: Labels): boolean =>
  Object.entries(wanted).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);

/** A process may serve for several services. What it serves beside `assent.svc.` is not ours. */
function knownServices({ id, metadata, subjects }: ServiceInstance): readonly KnownService[] {
  const byName = new Map<string, { functions: Set<string>; ownFunctions: Set<string> }>();
  for (const subject of subjects) {
    const about = parseServiceSubject(subject);
    if (about === undefined) continue;
    const known = byName.get(about.service) ?? { functions: new Set(), ownFunctions: new Set() };
    byName.set(about.service, known);
    known.functions.add(about.function);
    if (about.instance === id) known.ownFunctions.add(about.function);
  }
  return [...byName].map(([name, served]) => ({ name, id, labels: metadata, ...served }));
}
