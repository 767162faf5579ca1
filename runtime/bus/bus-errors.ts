import type { Headers } from "../ports.ts";

/** Nobody serves the subject: asking again at once won't help. */
export class NoResponders extends Error {
  override readonly name = "NoResponders";
  constructor(subject: string) {
    super(`nobody serves \`${subject}\``);
  }
}

/** Somebody may have received the request, and may have done what it asks. */
export class RequestTimedOut extends Error {
  override readonly name = "RequestTimedOut";
  constructor(subject: string, timeoutMs: number) {
    super(`no reply on \`${subject}\` within ${timeoutMs} ms`);
  }
}

/** The service answered with an error of its own, by the headers of NATS's micro services. */
export class ServiceFailed extends Error {
  override readonly name = "ServiceFailed";
  readonly code: string;
  /** The reply's body, where the service says more. */
  readonly body: string;
  /** Of the reply, beside those that make it an error. */
  readonly headers: Headers;
  constructor(code: string, message: string, body: string, headers: Headers = {}) {
    super(message);
    this.code = code;
    this.body = body;
    this.headers = headers;
  }
}

/** The bus could not confirm in time, or is closed. What was published may or may not be stored; publish it again. */
export class BusUnavailable extends Error {
  override readonly name = "BusUnavailable";
}

/** The message can't be sent as it is: its subject, its headers or its size. Trying again won't help. */
export class NotSendable extends Error {
  override readonly name = "NotSendable";
}
