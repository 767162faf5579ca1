import { z } from "zod";

/** What a tenant may use, and how long its history is kept. Whatever is absent has no limit. */
export interface TenantSettings {
  /** That have not ended, at one time. */
  readonly instancesMax?: number | undefined;
  /** From outside, at each node; a second's worth may come at once. */
  readonly commandsPerSecondMax?: number | undefined;
  /** Of all entries in the journal and the history. */
  readonly storageMiBMax?: number | undefined;
  /** Days after the end of an instance until its entries are moved to the history. */
  readonly archiveAfterDays?: number | undefined;
  /** Days after the end of an instance until its entries are removed. Absent: never. */
  readonly keepDays?: number | undefined;
}

const amount = z.number().positive();

/** `tenants` in assent.config.json: settings by tenant, `*` for all others and for what a tenant's own leave out. */
export const tenantsShape = z.record(
  z.string().min(1),
  z.strictObject({
    instancesMax: z.int().nonnegative().optional(),
    commandsPerSecondMax: amount.optional(),
    storageMiBMax: amount.optional(),
    archiveAfterDays: z.number().nonnegative().optional(),
    keepDays: z.number().nonnegative().optional(),
  }),
);

export type TenantsSettings = z.infer<typeof tenantsShape>;

/** What goes for each tenant. */
export function tenantSettings(tenants: TenantsSettings): (tenant: string) => TenantSettings {
  const { "*": others = {} } = tenants;
  const named = new Map(Object.entries(tenants).map(([tenant, own]) => [tenant, { ...others, ...own }]));
  return (tenant) => named.get(tenant) ?? others;
}
