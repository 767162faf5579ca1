import { encodeToken } from "./subjects.ts";

/**
 * Accounts of a nats-server, so that tenants never meet: each has an account of its own, into which nothing is imported but its
 * own subjects. An account's subjects are a world of their own, inboxes too: what is not imported can't be reached at all.
 * @see https://docs.nats.io/running-a-nats-service/configuration/securing_nats/accounts
 */

export interface NatsAccounts {
  /** To be included in a server's configuration. Passwords are not in it: the server takes them from its environment. */
  readonly config: string;
  /** Variables that the server needs, by user. */
  readonly passwords: Readonly<Record<string, string>>;
}

/** The users of the platform itself: its nodes, and services that serve functions. */
export const NODE_USER = "assent";
export const SERVICES_USER = "assent-services";
const NODE_ACCOUNT = "ASSENT";

interface TenantAccount {
  readonly tenant: string;
  readonly account: string;
  readonly variable: string;
  /** What it may ask for: events in, and commands. */
  readonly asks: readonly string[];
  /** What it hears. */
  readonly hears: string;
}

/** @param tenants each once. */
export function natsAccounts(tenants: readonly string[]): NatsAccounts {
  const accounts = tenantAccounts(tenants);
  const passwords = {
    [NODE_USER]: "ASSENT_NATS_NODE_PASSWORD",
    [SERVICES_USER]: "ASSENT_NATS_SERVICES_PASSWORD",
    ...Object.fromEntries(accounts.map(({ tenant, variable }) => [tenant, variable])),
  };
  const config = `# Made by \`assent nats-accounts\`: include it in the configuration of nats-server, which takes the passwords from its
# environment: ${Object.values(passwords).join(", ")}.
accounts {
${nodeAccount(accounts, passwords)}
${accounts.map(tenantAccount).join("\n")}
}
`;
  return { config, passwords };
}

function tenantAccounts(tenants: readonly string[]): readonly TenantAccount[] {
  const taken = new Set<string>();
  return tenants.map((tenant) => {
    const token = encodeToken(tenant);
    const variable = unused(`ASSENT_NATS_${tenant.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}_PASSWORD`, taken);
    return {
      ...{ tenant, variable, account: `TENANT ${tenant}` },
      asks: [`assent.in.${token}.>`, `assent.cmd.${token}.>`],
      hears: `assent.out.${token}.>`,
    };
  });
}

/** Two tenants' names may differ only in what a variable can't hold. */
function unused(name: string, taken: Set<string>): string {
  let free = name;
  for (let n = 2; taken.has(free) || RESERVED.has(free); n++) free = `${name}_${n}`;
  taken.add(free);
  return free;
}

const RESERVED: ReadonlySet<string> = new Set(["ASSENT_NATS_NODE_PASSWORD", "ASSENT_NATS_SERVICES_PASSWORD"]);

/** Nodes may everything; services hear what they are asked and who looks for them, and answer. */
function nodeAccount(accounts: readonly TenantAccount[], passwords: Readonly<Record<string, string>>): string {
  const exports = accounts.flatMap(({ account, asks, hears }) => [
    ...asks.map((subject) => `{ service: ${quoted(subject)}, accounts: [${quoted(account)}] }`),
    `{ stream: ${quoted(hears)}, accounts: [${quoted(account)}] }`,
  ]);
  return `  ${NODE_ACCOUNT} {
    jetstream: enabled
    users: [
      { user: ${quoted(NODE_USER)}, password: $${passwords[NODE_USER]} }
      {
        user: ${quoted(SERVICES_USER)}, password: $${passwords[SERVICES_USER]}
        permissions: { subscribe: ["assent.svc.>", "$SRV.>", "_INBOX.>"], publish: { deny: ">" }, allow_responses: true }
      }
    ]
    exports: [${exports.map((line) => `\n      ${line}`).join("")}
    ]
  }`;
}

function tenantAccount({ tenant, account, variable, asks, hears }: TenantAccount): string {
  const imports = [
    ...asks.map((subject) => `{ service: { account: ${NODE_ACCOUNT}, subject: ${quoted(subject)} } }`),
    `{ stream: { account: ${NODE_ACCOUNT}, subject: ${quoted(hears)} } }`,
  ];
  return `  ${quoted(account)} {
    users: [
      {
        user: ${quoted(tenant)}, password: $${variable}
        permissions: { publish: ${JSON.stringify(asks)}, subscribe: ${JSON.stringify([hears, "_INBOX.>"])} }
      }
    ]
    imports: [${imports.map((line) => `\n      ${line}`).join("")}
    ]
  }`;
}

const quoted = (text: string): string => JSON.stringify(text);
