import { randomUUID } from "node:crypto";
import type { Definition } from "../dsl/index.ts";
import { ServiceFailed } from "./bus/bus-errors.ts";
import { BODY_BYTES_MAX, readIncoming, type UnreadableCode } from "./bus/incoming.ts";
import type { Envelope, Reply } from "./commands.ts";
import { EventEnvelope } from "./event-envelope.ts";
import { instanceView } from "./http/instance-view.ts";
import { notFound, type Problem, problem, problemOf, problemText, refusalProblem } from "./http/problem.ts";
import { deadlineOf } from "./http/submitting.ts";
import type { Directory, Headers, Service } from "./ports.ts";

export interface CommandRequestPorts {
  readonly directory: Directory;
  /** By hash. */
  definition(hash: string): Definition | undefined;
  submit(envelope: Envelope): Promise<Reply>;
  onError(error: unknown): void;
}

/**
 * Answers requests on `assent.cmd.TENANT.FLOW.EVENT[.KEY]` with the instance after the event, or with the problem as HTTP
 * tells it. Who may send there is the bus's to say, by subject; who acts says the message, as in `assent.in.>`.
 */
export function commandRequests(ports: CommandRequestPorts): Service {
  return async (body, headers, subject) => {
    const traceId = traceIdOf(headers) ?? randomUUID().replaceAll("-", "");
    const answered = await answer(body, headers, subject, ports);
    if ("text" in answered) return answered.text;
    const { status, detail, headers: more } = answered;
    throw new ServiceFailed(String(status), detail, problemText(answered, traceId), {
      "Content-Type": "application/problem+json",
      ...more,
    });
  };
}

async function answer(
  text: string,
  headers: Headers,
  subject: string,
  ports: CommandRequestPorts,
): Promise<{ readonly text: string } | Problem> {
  // Nobody repeats a request without an id: it has one that nobody knows.
  const read = readIncoming({ subject, headers, body: Buffer.from(text), sequence: randomUUID() });
  if (!read.ok) return unreadable(read.code, read.reason);
  const deadline = deadlineOf(headerOf(headers, "Assent-Deadline"));
  if (typeof deadline === "object") return deadline;
  const { incoming } = read;
  const envelope: Envelope = new EventEnvelope(incoming, ports.directory, deadline);
  try {
    const reply = await ports.submit(envelope);
    if (reply.kind === "not-found") return notFound("flow", incoming.flow);
    if (reply.kind === "refused") return refusalProblem(reply.refusal, reply.instance && envelope.instance);
    const viewer = incoming.actor ?? incoming.initiator;
    const { instance, definition } = reply;
    const viewing = { definition, definitions: ports.definition, ...(viewer !== undefined && { viewer }) };
    return { text: JSON.stringify(instanceView(instance, viewing)) };
  } catch (error) {
    const expected = problemOf(error);
    if (!expected) ports.onError(error);
    return expected ?? problem(500, "internal", "something went wrong here; the log has more");
  }
}

function unreadable(code: UnreadableCode, reason: string): Problem {
  switch (code) {
    case "too-large":
      return problem(413, "body-too-large", `the body may have ${BODY_BYTES_MAX} bytes`);
    case "not-an-object":
      return problem(422, "wrong-type", reason);
    case "no-key":
      return problem(422, "missing-field", reason);
    case "bad-subject":
    case "bad-header":
      return problem(400, "malformed-header", reason);
    case "not-json":
    case "bad-cloud-event":
      return problem(400, "malformed-body", reason);
  }
}

/** Names of headers are compared as HTTP does. The empty text where there is none. */
function headerOf(headers: Headers, name: string): string {
  const wanted = name.toLowerCase();
  for (const key in headers) if (key.toLowerCase() === wanted) return headers[key]!;
  return "";
}

const traceIdOf = (headers: Headers): string | undefined =>
  /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(headerOf(headers, "traceparent"))?.[1];
