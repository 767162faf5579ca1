import { z } from "zod";
import type { Payload } from "../../engine/index.ts";
import type { PageRequest } from "../ports.ts";
import { type FieldError, type Problem, type ProblemCode, problem } from "./problem.ts";

/** What comes from outside, by route. Fields of the flow are JSON here; the engine reads them against the flow's types. */

const KEY_LENGTH_MAX = 256;
const NAME_LENGTH_MAX = 256;
const REASON_LENGTH_MAX = 10_000;
const SIGNATURE_LENGTH_MAX = 100_000;
const PEOPLE_MAX = 200;
/** Decisions of one batch. */
const BATCH_MAX = 200;
const PAGE_MAX = 200;
const PAGE_DEFAULT = 50;

const name = z.string().min(1).max(NAME_LENGTH_MAX);
const reason = z.string().max(REASON_LENGTH_MAX).optional();
/** Kept as it is: a copy by zod would drop names like `__proto__` in silence instead of leaving them to be refused. */
const payload = z
  .custom<Payload>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "must be an object")
  .meta({ type: "object" });

export const startBody = z.strictObject({
  key: z
    .string()
    .max(KEY_LENGTH_MAX)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, "must not be empty or hold control characters")
    .meta({ description: "The business key; a second start with it gives the same instance." })
    .optional(),
  initiator: name.meta({ description: "Somebody else than the caller: for administrators." }).optional(),
  data: payload.optional(),
  event: name.meta({ description: "Sent at once; if it is refused, no instance exists." }).optional(),
  payload: payload.meta({ type: "object", description: "Of the event." }).optional(),
});

export const eventBody = z.strictObject({ event: name, data: payload.optional() });

const signature = z
  .string()
  .min(1)
  .max(SIGNATURE_LENGTH_MAX)
  .meta({ description: "What signed it, where the stage asks for a signature." })
  .optional();
const onBehalfOf = name
  .meta({ description: "The person for whom a deputy or delegate decides; absent: whoever the task is for." })
  .optional();
const branch = name.meta({ description: "The branch that is meant, where several are open." }).optional();
const people = z.array(name).min(1).max(PEOPLE_MAX);
const text = z.string().min(1).max(REASON_LENGTH_MAX);

const decideShape = z.strictObject({
  decision: z.enum(["approve", "reject", "abstain", "handle"]),
  reason,
  signature,
  onBehalfOf,
  data: payload.optional(),
  choose: payload.meta({ type: "object", description: "Picks for stages that let one choose, by field." }).optional(),
});
const returnShape = z.strictObject({
  decision: z.literal("return"),
  to: z
    .union([name, z.int().min(1)])
    .meta({ description: "`initiator` (the default), a state that was passed, or the number of an earlier stage." })
    .optional(),
  reason,
  signature,
  onBehalfOf,
});
export const decisionBody = z.discriminatedUnion("decision", [decideShape, returnShape]);

/** One of a batch. */
export const batchItem = z.discriminatedUnion("decision", [
  decideShape.extend({ task: name }),
  returnShape.extend({ task: name }),
]);
export const batchBody = z.strictObject({
  decisions: z
    .array(z.unknown().meta(z.toJSONSchema(batchItem, { io: "input", unrepresentable: "any" })))
    .min(1)
    .max(BATCH_MAX),
});

export const transferBody = z.strictObject({ to: name, reason, onBehalfOf });
export const addBody = z.strictObject({
  where: z.enum(["before", "after", "beside"]),
  people,
  all: z
    .boolean()
    .meta({ description: "Each of those added before or after must agree; else the first decision counts." })
    .default(false),
  advisory: z.boolean().meta({ description: "Those added before give advice only." }).default(false),
  reason,
  signature,
  onBehalfOf,
});
export const removeBody = z.strictObject({
  person: name,
  asAdmin: z
    .literal(true)
    .meta({ description: "Anybody, not only whom one added oneself: for administrators, with a reason." })
    .optional(),
  in: branch,
  reason,
});
export const reasonBody = z.strictObject({ reason });
export const nothingBody = z.strictObject({});
export const commentBody = z.strictObject({ text });
export const askBody = z.strictObject({ to: name, text });
export const copyBody = z.strictObject({ people });

export const jumpBody = z.strictObject({
  to: name.meta({ description: "A state, or `BRANCH.STATE` of a branch that is there." }),
  reason,
});
export const overrideBody = z.strictObject({ decision: z.enum(["approve", "reject"]), in: branch, reason });
export const sagaBody = z.strictObject({
  step: name.meta({ description: "A step of the running saga that is not done." }),
  arguments: payload.meta({
    type: "object",
    description: "New arguments, by the name of the field that stands there or by position from 1.",
  }),
  in: branch,
  reason,
});
export const migrateBody = z.strictObject({
  label: name.meta({ description: "Of the version to go on with." }),
  dryRun: z.boolean().meta({ description: "Only tells what would happen." }).default(false),
  reason,
});
export const handOverBody = z.strictObject({ to: name, reason });

/** A CloudEvent, or plain JSON: the event's data. */
export const messageBody = payload;

const page = {
  cursor: z.string().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
};

export const instanceQuery = z.strictObject({
  at: z.coerce.number().int().min(1).meta({ description: "An earlier version." }).optional(),
});
export const instancesQuery = z.strictObject({
  flow: name.optional(),
  state: name.optional(),
  initiator: name.meta({ description: "`me`, or for administrators anybody." }).optional(),
  q: name.meta({ description: "Part of the key." }).optional(),
  ...page,
});
export const tasksQuery = z.strictObject({
  assignee: name.meta({ description: "`me`, or for administrators anybody." }).default("me"),
  status: z.enum(["open", "waiting", "closed"]).optional(),
  ...page,
});
export const effectsQuery = z.strictObject({
  state: z.enum(["pending", "stuck", "dead"]).default("stuck"),
  ...page,
});
export const pageQuery = z.strictObject(page);
/** The page that a query asks for. */
export function pageOf({
  limit,
  cursor,
}: {
  readonly limit: number;
  readonly cursor?: string | undefined;
}): PageRequest {
  return cursor === undefined ? { limit } : { limit, cursor };
}
export const noQuery = z.strictObject({});

/** A body that does not fit is 422, a query 400. */
export function readShape<Shape extends z.ZodType>(
  shape: Shape,
  input: unknown,
  status: 400 | 422,
): { readonly value: z.infer<Shape> } | Problem {
  const read = shape.safeParse(input);
  if (read.success) return { value: read.data };
  const errors = read.error.issues.flatMap((issue) => fieldErrors(issue, input));
  const detail = errors.map(({ field, message }) => `\`${field}\`: ${message}`).join("; ");
  return problem(status, (errors[0]?.code ?? "wrong-type") as ProblemCode, detail, { errors });
}

function fieldErrors(issue: z.core.$ZodIssue, input: unknown): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      field: [...issue.path, key].join("."),
      code: "unknown-field",
      message: "there is no such field here",
    }));
  }
  const missing = issue.path.length > 0 && valueAt(input, issue.path) === undefined;
  return [
    {
      field: issue.path.join(".") || "body",
      code: missing ? "missing-field" : "wrong-type",
      message: missing ? "must be given" : issue.message,
    },
  ];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
