import { Command } from "commander";
import type { Answer, Client } from "./client.ts";
import type { Io } from "./io.ts";

interface Options {
  readonly key?: string;
  readonly as?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export const sendCommand = (io: Io): Command =>
  new Command("send")
    .description("sends an event; starts the instance where the key has none")
    .argument("<flow>")
    .argument("<event>")
    .option("--key <key>", "the business key; without it a new instance starts")
    .option("--data <json>", "the event's fields")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--json", "one JSON value on standard output")
    .addHelpText(
      "after",
      `\nExample:\n  assent send my-flow submit --key ONE --data '{"purpose": "paper", "amount": "120.00"}' --as alice`,
    )
    .action(async (flow: string, event: string, options: Options) => {
      const { connect, readObject, respond } = await import("./client.ts");
      const { instanceText } = await import("./views.ts");
      const data = readObject("--data", options.data);
      const client = connect(io, options.as);
      const { key, json = false } = options;
      io.exitCode = await respond(io, { json, text: instanceText }, () => send(client, { flow, event, key, data }));
    });

interface Sent {
  readonly flow: string;
  readonly event: string;
  readonly key: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** To the key's instance if there is one that the caller may reach, else as the event that starts it. */
async function send(client: Client, { flow, event, key, data }: Sent): Promise<Answer> {
  const start = () => client.post(`/v1/flows/${encodeURIComponent(flow)}/instances`, { key, event, payload: data });
  if (key === undefined) return start();
  const { instanceId } = await import("../../engine/index.ts");
  const id = instanceId(client.tenant, flow, key);
  const sent = await client.post(`/v1/instances/${encodeURIComponent(id)}/events`, { event, data });
  if (sent.status !== 404) return sent;
  const started = await start();
  // The instance is there, but not for this caller: the first answer is the true one.
  return started.status === 403 ? sent : started;
}
