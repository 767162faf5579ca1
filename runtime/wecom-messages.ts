import { MESSAGE_USERS_MAX, type WecomApi, type WecomApp } from "./connectors/wecom/index.ts";
import type { Messenger } from "./effects.ts";
import type { Effect } from "./ports.ts";
import { ServiceCallFailed } from "./services/service-call-failed.ts";

type Notification = Extract<Effect, { kind: "notify" }>;

/** Tells people by WeCom's messages: of each tenant, the first app that has an agent id sends them. */
export function wecomMessages(
  apps: readonly WecomApp[],
  api: Pick<WecomApi, "sendText">,
): (tenant: string) => Messenger | undefined {
  const senders = new Map<string, WecomApp>();
  for (const app of apps) if (app.agentId !== undefined && !senders.has(app.tenant)) senders.set(app.tenant, app);
  return (tenant) => {
    const app = senders.get(tenant);
    return app && ((effect, about) => send(api, app, effect, textOf(effect, about)));
  };
}

async function send(api: Pick<WecomApi, "sendText">, app: WecomApp, { to }: Notification, text: string): Promise<void> {
  for (let from = 0; from < to.length; from += MESSAGE_USERS_MAX) {
    const sent = await api.sendText(app, to.slice(from, from + MESSAGE_USERS_MAX), text);
    if (!sent.ok) throw new ServiceCallFailed(sent.reason, sent.retry ? "away" : "refused");
  }
}

/** @see Messenger for what it is about. */
function textOf({ about }: Notification, { flow, key }: Parameters<Messenger>[1]): string {
  const form = `${flow} ${key}`;
  switch (about.kind) {
    case "task":
      return `${form}: ${TASKS[about.what]} (${about.task})`;
    case "moved":
      return `${form}: ${about.from} → ${about.to}`;
    case "held":
      return `${form}: held in ${about.state}: ${about.reason}`;
    case "message":
      return `${form}: ${about.from}: ${about.text}`;
    case "alert":
      return `${form}: somebody has to look: ${about.reason}`;
  }
}

const TASKS = {
  opened: "waits for your decision",
  reminded: "still waits for your decision",
  escalated: "is overdue and was handed to you",
  urged: "is asked for by those who wait",
} as const;
