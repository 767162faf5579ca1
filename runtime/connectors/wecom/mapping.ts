import type { SourceDefinition, SourceValue, Type } from "../../../dsl/index.ts";
import type { Json } from "../../../engine/index.ts";
import type { Read } from "./amount.ts";
import type { ApprovalEvent } from "./callback-xml.ts";
import { type Converted, convert } from "./conversion.ts";
import { type ApprovalDetail, type FormControls, localDateTime } from "./form.ts";

/** What a flow is started with: values in the form that they take on the way in. */
export interface MappedForm {
  readonly key: string;
  readonly initiator: string;
  readonly event?: string;
  readonly data: Readonly<Record<string, Json>>;
}

/** Why a form doesn't fit, for the person who can mend the form, the template or the `source`. */
export interface MappingFault {
  /** The control's id, or the property's path. */
  readonly control: string;
  /** The field that wanted it: `amount`, `items[2].price`, `key`, `initiator`. */
  readonly field: string;
  readonly message: string;
}

export type Mapping =
  | { readonly ok: true; readonly form: MappedForm }
  | { readonly ok: false; readonly faults: readonly MappingFault[] };

/** Reads a form as a `source` says: every field, or every fault there is. */
export function mapForm(source: SourceDefinition, detail: ApprovalDetail, event: ApprovalEvent): Mapping {
  const faults: MappingFault[] = [];
  const form = { event, detail, controls: detail.controls };
  const key = keyOf(source, event, detail);
  const initiator = textFrom(source.initiator, "initiator", form);
  for (const name of [key, initiator]) if (!name.ok) faults.push(name.fault);
  const data = fieldsFrom(source.fields, "", form, faults);
  if (!key.ok || !initiator.ok || faults.length > 0) return { ok: false, faults };
  const mapped = { key: key.value, initiator: initiator.value, data };
  return { ok: true, form: source.event === undefined ? mapped : { ...mapped, event: source.event } };
}

/** The instance's key. A source whose key is a control needs the `detail`. */
export function keyOf(source: SourceDefinition, event: ApprovalEvent, detail?: ApprovalDetail): Found {
  return textFrom(source.key, "key", { event, ...(detail && { detail, controls: detail.controls }) });
}

export type Found =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly fault: MappingFault };

interface Form {
  readonly event: ApprovalEvent;
  readonly detail?: ApprovalDetail;
  /** Of the form, or of a table's row. */
  readonly controls?: FormControls;
}

interface Wanted {
  readonly name: string;
  readonly optional: boolean;
  readonly value: SourceValue;
}

function fieldsFrom(
  fields: readonly Wanted[],
  prefix: string,
  form: Form,
  faults: MappingFault[],
): Record<string, Json> {
  const data: Record<string, Json> = {};
  for (const field of fields) {
    const name = prefix + field.name;
    const value = valueFrom(field, name, form, faults);
    if (value !== undefined) data[field.name] = value;
  }
  return data;
}

function valueFrom({ value, optional }: Wanted, name: string, form: Form, faults: MappingFault[]): Json | undefined {
  const fault = (message: string) => void faults.push({ control: idOf(value), field: name, message });
  if (value.kind === "table") return rowsFrom(value, optional, name, form, faults);
  const read = value.kind === "property" ? property(value.path, form) : fromControl(value, form);
  if (!read.ok) return fault(read.reason);
  const isEmptyList = Array.isArray(read.value) && read.value.length === 0;
  if (read.value !== undefined && !(isEmptyList && optional)) return read.value;
  return optional ? undefined : fault(missing(value, form));
}

function rowsFrom(
  table: SourceValue & { readonly kind: "table" },
  optional: boolean,
  name: string,
  form: Form,
  faults: MappingFault[],
): Json | undefined {
  const control = form.controls?.get(table.id);
  const fault = (message: string) => void faults.push({ control: table.id, field: name, message });
  if (control === undefined || control.hidden) return optional ? undefined : fault(missing(table, form));
  if (control.rows === undefined) return fault(control.unreadable ?? `a \`${control.control}\` is not a table`);
  if (control.rows.length === 0 && optional) return undefined;
  const columns = table.columns.map((column) => ({ ...column, optional: isOptionalColumn(table.type, column.name) }));
  return control.rows.map((row, index) =>
    fieldsFrom(columns, `${name}[${index + 1}].`, { ...form, controls: row }, faults),
  );
}

function isOptionalColumn(type: Type, name: string): boolean {
  const fields = type.kind === "list" && type.of.kind === "record" ? type.of.fields : [];
  return fields.find((field) => field.name === name)?.optional ?? false;
}

function textFrom(value: SourceValue, field: string, form: Form): Found {
  const read = value.kind === "property" ? property(value.path, form) : controlText(value, form);
  if (read.ok && read.value) return { ok: true, value: read.value };
  return { ok: false, fault: { control: idOf(value), field, message: read.ok ? missing(value, form) : read.reason } };
}

/** A key or an initiator: a text, or the one person that was picked. */
function controlText(value: SourceValue, form: Form): Read<string | undefined> {
  const control = form.controls?.get(idOf(value));
  if (control?.unreadable !== undefined) return { ok: false, reason: control.unreadable };
  const only = control?.users?.length === 1 ? control.users[0] : undefined;
  return { ok: true, value: control?.text || only };
}

/** Properties of the form itself. SpNo and SpNoStr are one: SpNo is absent on some forms. */
function property(path: readonly string[], { event, detail }: Form): Read<string | undefined> {
  const name = path.join(".");
  const read = Object.hasOwn(PROPERTIES, name) ? PROPERTIES[name] : undefined;
  if (read === undefined) return { ok: false, reason: `a form has no property \`${name}\`` };
  return { ok: true, value: read(event, detail) || undefined };
}

const PROPERTIES: Readonly<Record<string, (event: ApprovalEvent, detail?: ApprovalDetail) => string>> = {
  SpNo: (event) => event.spNo,
  SpNoStr: (event) => event.spNo,
  SpName: (event, detail) => event.name || (detail?.name ?? ""),
  TemplateId: (event) => event.template,
  "Applyer.UserId": (event, detail) => event.applicant || (detail?.applicant ?? ""),
  "Applyer.Party": (event, detail) => event.department || (detail?.department ?? ""),
  ApplyTime: (event, detail) => {
    const seconds = event.appliedAt > 0 ? event.appliedAt / 1000 : (detail?.appliedAt ?? 0);
    return seconds > 0 ? localDateTime({ seconds, offsetMinutes: 8 * 60 }) : "";
  },
};

function fromControl(value: SourceValue & { readonly kind: "control" }, form: Form): Converted {
  const control = form.controls?.get(value.id);
  if (control === undefined || control.hidden) return { ok: true, value: undefined };
  return convert(control, value.type, value.convert);
}

function missing(value: SourceValue, form: Form): string {
  if (value.kind === "property") return "the form does not say it";
  const control = form.controls?.get(value.id);
  if (control === undefined) return "the form has no control of this id";
  return `it ${control.hidden ? "is hidden in this form" : "was left empty"}, and the field is required`;
}

function idOf(value: SourceValue): string {
  return value.kind === "property" ? value.path.join(".") : value.id;
}
