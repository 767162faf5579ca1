import { Command } from "commander";
import { readConfigFile } from "./config-file.ts";
import { EXIT, type Io, printJson, UsageError } from "./io.ts";

export const natsAccountsCommand = (io: Io): Command =>
  new Command("nats-accounts")
    .description("a configuration for nats-server in which each tenant reaches its own subjects and no others")
    .argument("[tenant...]", "else those that `tenants` of assent.config.json names")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent nats-accounts acme globex > accounts.conf")
    .action(async (tenants: readonly string[], options: { readonly json?: true }) => {
      io.exitCode = await printAccounts(tenants, options.json === true, io);
    });

async function printAccounts(given: readonly string[], json: boolean, io: Io): Promise<number> {
  const tenants = [...new Set(given.length > 0 ? given : tenantsNamed(readConfigFile()))];
  if (tenants.length === 0) throw new UsageError("name tenants, or have them under `tenants` in assent.config.json");
  const unusable = tenants.find((tenant) => tenant === "" || !tenant.isWellFormed());
  if (unusable !== undefined) throw new UsageError(`\`${unusable}\` can't name a tenant`);
  const { natsAccounts } = await import("../bus/nats-accounts.ts");
  const accounts = natsAccounts(tenants);
  if (json) printJson(io, accounts);
  else io.out(accounts.config.trimEnd());
  return EXIT.ok;
}

/** What is wrong with the file is told where the settings are read. */
function tenantsNamed(file: unknown): readonly string[] {
  const tenants = typeof file === "object" && file !== null && "tenants" in file ? file.tenants : undefined;
  const names = typeof tenants === "object" && tenants !== null ? Object.keys(tenants) : [];
  return names.filter((name) => name !== "*");
}
