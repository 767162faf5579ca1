import type { FlowFunction } from "../../plugins/index.ts";

const REVIEWERS = new Set(["bob", "carol", "dave"]);

/** Leave is granted to people the firm knows the organisation of. */
export const validatePolicy: FlowFunction = {
  kind: "check",
  run: ({ context }) => context.initiator.org !== undefined || `\`${context.initiator.id}\` belongs to no organisation`,
};

/** One reviewer is a quorum for leave. */
export const hasQuorum: FlowFunction = {
  kind: "guard",
  run: ({ context }) => context.actor !== undefined && REVIEWERS.has(context.actor),
};

/** The reviewers see the instance in their own list; nothing else is to be done for them. */
export const notifyReviewers: FlowFunction = { kind: "action", run: () => undefined };
