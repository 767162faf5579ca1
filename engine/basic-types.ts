/** Milliseconds since 1970-01-01T00:00Z. */
export type EpochMs = number;

/** Anything that JSON can hold. */
export type Json = boolean | number | string | null | readonly Json[] | { readonly [name: string]: Json };

/** Who started an instance, as known at that moment. */
export interface Person {
  readonly id: string;
  readonly name?: string;
  readonly org?: string;
  readonly tags?: readonly string[];
}

/** Payloads come as JSON from outside and are read against the flow's types while deciding. */
export type Payload = Readonly<Record<string, unknown>>;
