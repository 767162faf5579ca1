import { z } from "zod";
import type { Route } from "./route.ts";

type Schema = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 description of the route table. */
export function openApi(routes: readonly Route[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Assent", version: "1", description: "Approvals as code" },
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: { Problem: PROBLEM },
    },
  };
}

function operation(route: Route) {
  const guarded = route.access !== "public";
  return {
    summary: route.summary,
    parameters: [...pathParameters(route.path), ...(guarded ? callerParameters(route) : [])],
    ...(guarded &&
      route.body && { requestBody: { content: { "application/json": { schema: schemaOf(route.body) } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, description]) => [status, { description }])),
      default: {
        description: "A problem",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
    ...(guarded && { security: [{ bearer: [] }] }),
  };
}

function pathParameters(path: string) {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function callerParameters(route: Exclude<Route, { access: "public" }>) {
  const { properties = {} } = schemaOf(route.query) as { readonly properties?: Readonly<Record<string, Schema>> };
  const query = Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
  return route.body ? [...query, ...COMMAND_HEADERS] : query;
}

const COMMAND_HEADERS = [
  {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description: "Id of the command: repeating an accepted one gives the first answer.",
    schema: { type: "string", maxLength: 256 },
  },
  {
    name: "If-Match",
    in: "header",
    required: false,
    description: "Refused with 412 unless the instance stands at this version.",
    schema: { type: "string", examples: ['"7"'] },
  },
];

function schemaOf(shape: z.ZodType): Schema {
  // `any`: payloads are checked by the engine, their schema comes from their `meta`.
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape, { io: "input", unrepresentable: "any" });
  return schema;
}

const text = { type: "string" };
const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "traceId"],
  properties: {
    type: { type: "string", format: "uri" },
    title: text,
    status: { type: "integer" },
    detail: text,
    code: text,
    instance: { type: "string", format: "uri-reference" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "code", "message"],
        properties: { field: text, code: text, message: text },
      },
    },
    details: { type: "object" },
    traceId: text,
  },
};
