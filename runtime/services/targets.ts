import type { Question } from "../ports.ts";
import type { Endpoint } from "./choice.ts";
import { carries, type KnownService, type KnownServices, type Labels } from "./known-services.ts";
import { ServiceCallFailed } from "./service-call-failed.ts";

/** Endpoints of which one is enough. */
export type Group = readonly Endpoint[];

/** Metadata of a service whose requests about one instance should reach one process. */
const STICKY = { choice: "sticky" };

/** Who can be asked for a function. */
export class Targets {
  readonly #urls: Readonly<Record<string, string>>;
  readonly #known: KnownServices;
  /** Functions by service, as far as they answered: services of the settings declare nothing. */
  readonly #served = new Map<string, Set<string>>();

  constructor(urls: Readonly<Record<string, string>>, known: KnownServices) {
    this.#urls = urls;
    this.#known = known;
  }

  /**
   * In the order of places: services that the event's `routes` name, one with labels that they name, else the one
   * registered service that serves it.
   * @throws {ServiceCallFailed} where several are registered that do, and after all others where nobody has the labels.
   */
  async *forFunction(name: string, { services, selectors = [] }: Question["context"]): AsyncGenerator<Group> {
    for (const service of services) yield* this.named(service, name);
    let missing: Labels | undefined;
    for (const labels of selectors) {
      const groups = await this.labelled(labels, name);
      if (groups.length === 0) missing ??= labels;
      yield* groups;
    }
    yield* await this.#registered(name, services);
    if (missing) throw nobodyWith(missing, name);
  }

  /** A process of the service first, where they can be told apart; whoever takes it, where none of those is there any more. */
  named(service: string, name: string): readonly Group[] {
    const url = this.#urls[service];
    if (url !== undefined) return [[{ address: url, service, url, sticky: false }]];
    return groupsOf(
      service,
      this.#known.now().filter((known) => known.name === service),
      name,
    );
  }

  /** One of those that carry the labels and serve the function. */
  async labelled(labels: Labels, name: string): Promise<readonly Group[]> {
    const found = await this.#known.find((known) => carries(known, labels) && known.functions.has(name));
    const groups = [...Map.groupBy(found, (known) => known.name)].map(([service, all]) => groupsOf(service, all, name));
    if (groups.length === 0) return [];
    // All first choices beside each other, then all second ones.
    return [groups.flatMap(([first = []]) => first), groups.flatMap(([, second = []]) => second)];
  }

  /** Does the service serve one of them? As far as is known without asking. */
  serves(service: string, functions: readonly string[]): boolean {
    if (functions.length === 0) return false;
    const known = this.#known.now().filter(({ name }) => name === service);
    return functions.some(
      (name) => this.#served.get(service)?.has(name) || known.some((one) => one.functions.has(name)),
    );
  }

  /** The service answered for the function. */
  learn(service: string, name: string): void {
    const served = this.#served.get(service);
    if (served) served.add(name);
    else this.#served.set(service, new Set([name]));
  }

  async #registered(name: string, asked: readonly string[]): Promise<readonly Group[]> {
    const others = Object.keys(this.#urls).filter((service) => !asked.includes(service));
    const proven = others.filter((service) => this.#served.get(service)?.has(name));
    const onBus =
      proven.length > 0
        ? this.#known.now().filter(({ functions }) => functions.has(name))
        : await this.#known.find(({ functions }) => functions.has(name));
    const serving = [...new Set([...proven, ...onBus.map((known) => known.name)])].filter(
      (service) => !asked.includes(service),
    );
    if (serving.length > 1) {
      const message = `\`${serving.join("` and `")}\` serve \`${name}\`: name one of them in the event's \`routes\``;
      throw new ServiceCallFailed(message, "refused");
    }
    const unproven = serving.length > 0 ? [] : others;
    return [...serving, ...unproven].flatMap((service) => this.named(service, name));
  }
}

/** It may come. */
export const nobodyWith = (labels: Labels, name: string): ServiceCallFailed =>
  new ServiceCallFailed(`no service with the labels ${JSON.stringify(labels)} serves \`${name}\``, "away");

function groupsOf(service: string, processes: readonly KnownService[], name: string): readonly Group[] {
  const sticky = processes.some((known) => carries(known, STICKY));
  const own = processes.filter(({ ownFunctions }) => ownFunctions.has(name));
  const shared = [{ address: service, service, sticky }];
  if (own.length === 0) return [shared];
  return [own.map(({ id }) => ({ address: `${service}.${id}`, service, instance: id, sticky })), shared];
}
