import type { Refusal } from "../../engine/index.ts";
import type { Envelope, Reply } from "../commands.ts";
import type { Clock, TenantUsage } from "../ports.ts";
import type { TenantSettings } from "./tenant-settings.ts";

export type Quota = "instances" | "commands-per-second" | "storage";
type StartQuota = Exclude<Quota, "commands-per-second">;

export interface QuotaPorts {
  readonly clock: Clock;
  readonly settings: (tenant: string) => TenantSettings;
  usage(tenant: string): Promise<TenantUsage>;
  /** For the figures. */
  refused?(tenant: string, quota: Quota): void;
  /** The store could not be asked; what was known before goes on to count. */
  onError(error: unknown): void;
}

/** A tenant sends more than it may: nothing happened, come again a little later. */
export class TooOften extends Error {
  override readonly name = "TooOften";
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What is known of a tenant's use is looked up again after so long, and after many times as long as that takes. */
const FRESH_MS = 1_000;
const FRESH_TIMES = 20;
const BYTES_PER_MIB = 1_048_576;
/** Tenants of whom something is known; the oldest goes first. Subjects of the bus may name any. */
const ACCOUNTS_MAX = 10_000;

/** What is known of one tenant that has a quota. */
interface Account {
  readonly settings: TenantSettings;
  /** Commands that may come at once now. */
  tokens: number;
  tokensAtMs: number;
  usage: TenantUsage | undefined;
  /** When the use is looked up again at the latest. */
  staleAtMs: number;
  looking: Promise<void> | undefined;
  /** Starts that were let in and are not decided yet. */
  readonly starting: Set<Envelope>;
}

/**
 * Holds tenants to their quotas. Of commands per second only what comes from outside counts. Where a tenant has as many
 * instances or as much storage as it may, nothing new is started; what runs goes on to its end.
 */
export class Quotas {
  readonly #ports: QuotaPorts;
  readonly #accounts = new Map<string, Account>();

  constructor(ports: QuotaPorts) {
    this.#ports = ports;
  }

  /**
   * Before a command is decided.
   * @param from `inside`: the runtime only carries on what was let in.
   * @returns what to wait for, if the tenant's use has to be looked up first. @throws {TooOften}
   */
  admit(envelope: Envelope, from: "outside" | "inside"): Promise<void> | undefined {
    const account = this.#accountOf(envelope.tenant);
    if (!account) return undefined;
    const { kind } = envelope.command;
    if (from === "outside") this.#takeToken(account, envelope.tenant);
    return kind === "start" || kind === "event" ? this.#beforeStart(account, envelope.tenant) : undefined;
  }

  /** While a start is decided. @returns why it may not be. */
  mayStart(envelope: Envelope): Refusal | undefined {
    const account = this.#accountOf(envelope.tenant);
    if (!account?.usage || account.starting.has(envelope)) return undefined;
    const quota = overdrawn(account);
    if (quota === undefined) {
      account.starting.add(envelope);
      return undefined;
    }
    return refusal(quota, account.settings);
  }

  /** After it was decided, or failed. */
  settle(envelope: Envelope, reply?: Reply): void {
    const account = this.#accounts.get(envelope.tenant);
    if (!account) return;
    const isStart = account.starting.delete(envelope);
    const quota = reply?.kind === "refused" ? reply.refusal.details?.["quota"] : undefined;
    if (quota === "instances" || quota === "storage") this.#ports.refused?.(envelope.tenant, quota);
    if (reply?.kind !== "accepted" || reply.duplicate) return;
    if (isStart && reply.created && account.usage)
      account.usage = { ...account.usage, openInstances: account.usage.openInstances + 1 };
    if (reply.instance.outcome !== undefined) account.staleAtMs = 0;
  }

  /** `undefined` for a tenant without quotas. */
  #accountOf(tenant: string): Account | undefined {
    const known = this.#accounts.get(tenant);
    if (known) return known;
    const settings = this.#ports.settings(tenant);
    const { instancesMax, commandsPerSecondMax, storageMiBMax } = settings;
    if (instancesMax === undefined && commandsPerSecondMax === undefined && storageMiBMax === undefined)
      return undefined;
    if (this.#accounts.size >= ACCOUNTS_MAX) this.#accounts.delete(this.#accounts.keys().next().value!);
    const tokens = { tokens: burstOf(settings), tokensAtMs: this.#ports.clock.steadyMs() };
    const account = {
      settings,
      ...tokens,
      usage: undefined,
      staleAtMs: 0,
      looking: undefined,
      starting: new Set<Envelope>(),
    };
    this.#accounts.set(tenant, account);
    return account;
  }

  #takeToken(account: Account, tenant: string): void {
    const { commandsPerSecondMax: perSecond } = account.settings;
    if (perSecond === undefined) return;
    const nowMs = this.#ports.clock.steadyMs();
    const earned = ((nowMs - account.tokensAtMs) / 1_000) * perSecond;
    account.tokens = Math.min(account.tokens + earned, burstOf(account.settings));
    account.tokensAtMs = nowMs;
    if (account.tokens >= 1) {
      account.tokens -= 1;
      return;
    }
    this.#ports.refused?.(tenant, "commands-per-second");
    const retryAfterMs = Math.ceil(((1 - account.tokens) / perSecond) * 1_000);
    throw new TooOften(
      `the tenant may send ${perSecond} commands per second: send it again a little later`,
      retryAfterMs,
    );
  }

  /** Waits for what is not known, and for fresh figures where the old ones would refuse; otherwise they are looked up aside. */
  #beforeStart(account: Account, tenant: string): Promise<void> | undefined {
    const { instancesMax, storageMiBMax } = account.settings;
    if (instancesMax === undefined && storageMiBMax === undefined) return undefined;
    if (account.usage && this.#ports.clock.steadyMs() < account.staleAtMs) return undefined;
    account.looking ??= this.#lookUp(account, tenant).finally(() => {
      account.looking = undefined;
    });
    return account.usage && overdrawn(account) === undefined ? undefined : account.looking;
  }

  async #lookUp(account: Account, tenant: string): Promise<void> {
    const { clock } = this.#ports;
    const began = clock.steadyMs();
    try {
      account.usage = await this.#ports.usage(tenant);
    } catch (error) {
      this.#ports.onError(error);
    }
    const tookMs = clock.steadyMs() - began;
    account.staleAtMs = clock.steadyMs() + Math.max(FRESH_MS, FRESH_TIMES * tookMs);
  }
}

/** A second's worth, and one at least. */
const burstOf = ({ commandsPerSecondMax = 0 }: TenantSettings): number => Math.max(commandsPerSecondMax, 1);

function overdrawn({ settings, usage, starting }: Account): StartQuota | undefined {
  const { instancesMax = Number.POSITIVE_INFINITY, storageMiBMax = Number.POSITIVE_INFINITY } = settings;
  if (!usage) return undefined;
  if (usage.openInstances + starting.size >= instancesMax) return "instances";
  return usage.bytes >= storageMiBMax * BYTES_PER_MIB ? "storage" : undefined;
}

const refusal = (quota: StartQuota, settings: TenantSettings): Refusal => ({
  kind: "refused",
  code: "too-often",
  message:
    quota === "instances"
      ? `the tenant has ${settings.instancesMax} instances that have not ended, as many as it may: end some, or have the quota raised`
      : `the tenant's entries take up ${settings.storageMiBMax} MiB, as much as they may: have old ones pruned, or the quota raised`,
  details: { quota },
});
