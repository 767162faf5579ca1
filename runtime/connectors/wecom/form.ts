import { z } from "zod";
import { type ApprovalStatus, approvalStatus } from "./callback-xml.ts";

/**
 * A form as `oa/getapprovaldetail` answers it (document/path/91983), read into what a control can stand for. Which of
 * these is wanted, the field decides it is mapped to.
 */
export interface FormValue {
  /** The kind of the control: `Money`, `Selector`, … */
  readonly control: string;
  readonly id: string;
  /** As people read it; "" if nothing was entered. */
  readonly text?: string;
  /** A decimal as WeCom writes it; "" if nothing was entered. An amount is in yuan. */
  readonly number?: string;
  /** The chosen ones. */
  readonly options?: readonly FormOption[];
  readonly dates?: readonly FormDate[];
  readonly users?: readonly string[];
  readonly orgs?: readonly string[];
  readonly files?: readonly string[];
  readonly rows?: readonly FormControls[];
  /** The template's conditions hide it: it holds no answer. */
  readonly hidden?: true;
  /** Why it can't be read, in words. */
  readonly unreadable?: string;
}

export type FormControls = ReadonlyMap<string, FormValue>;

export interface FormOption {
  readonly key: string;
  /** Its name in each language that the template has. */
  readonly names: readonly string[];
}

export interface FormDate {
  readonly seconds: number;
  /** East of UTC; UTC+8 where the form says nothing. */
  readonly offsetMinutes: number;
}

export interface ApprovalDetail {
  readonly spNo: string;
  readonly name: string;
  readonly status: ApprovalStatus;
  readonly template: string;
  readonly applicant: string;
  readonly department: string;
  /** Seconds; 0 if unknown. */
  readonly appliedAt: number;
  readonly controls: FormControls;
}

/** `YYYY-MM-DD` on the clock of the form. A day is local midnight, so formatting it in UTC would be one day off. */
export function localDate(date: FormDate): string {
  return wallClock(date).slice(0, 10);
}

/** RFC 3339 with the form's offset: `2025-03-01T09:30:00+08:00`. */
export function localDateTime(date: FormDate): string {
  const minutes = Math.abs(date.offsetMinutes);
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0"));
  return `${wallClock(date)}${date.offsetMinutes < 0 ? "-" : "+"}${hour}:${minute}`;
}

/** Reads the `info` of an answer. A control that can't be read is a value that says so, since it may not be wanted. */
export function readDetail(
  answer: unknown,
): { readonly ok: true; readonly detail: ApprovalDetail } | { readonly ok: false; readonly reason: string } {
  const read = detailSchema.safeParse(answer);
  if (!read.success) {
    const issue = read.error.issues[0];
    return { ok: false, reason: `the form's detail is not as documented at \`${issue?.path.join(".") ?? ""}\`` };
  }
  const { info } = read.data;
  return {
    ok: true,
    detail: {
      spNo: info.sp_no,
      name: info.sp_name,
      status: approvalStatus(info.sp_status),
      template: info.template_id,
      applicant: (info.applyer ?? info.batch_applyer[0])?.userid ?? "",
      department: (info.applyer ?? info.batch_applyer[0])?.partyid ?? "",
      appliedAt: info.apply_time,
      controls: readControls(info.apply_data.contents),
    },
  };
}

/** Offset of forms without `timezone_info`. */
const CHINA_OFFSET_MINUTES = 8 * 60;
/** Up to so many digits, a number that came as a JSON number is still the one that was sent. */
const EXACT_DIGITS_MAX = 15;

// Numbers and strings drift between WeCom's pages and its answers: both are taken.
const text = z
  .union([z.string(), z.number().refine((value) => String(value).replace(/\D/g, "").length <= EXACT_DIGITS_MAX)])
  .transform(String);
const textOrEmpty = text.nullish().transform((value) => value ?? "");
const seconds = textOrEmpty.pipe(z.string().regex(/^\d{0,11}$/)).transform(Number);
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const person = z.object({ userid: text, partyid: textOrEmpty });
const contentSchema = z.object({
  control: z.string(),
  id: text,
  value: z.unknown(),
  hidden: z.union([z.number(), z.boolean()]).nullish(),
});

const detailSchema = z.object({
  info: z.object({
    sp_no: text,
    sp_name: textOrEmpty,
    sp_status: text,
    template_id: text,
    apply_time: seconds,
    applyer: person.nullish(),
    batch_applyer: list(person),
    apply_data: z.object({ contents: list(contentSchema) }),
  }),
});

const zoneSchema = z
  .object({ zone_offset: textOrEmpty.pipe(z.string().regex(/^([+-]?\d{1,2}(\.\d+)?)?$/)) })
  .nullish()
  // The sign is opposite to the usual one: "-9" is UTC+9.
  .transform((zone) => (zone?.zone_offset ? Math.round(-60 * Number(zone.zone_offset)) : CHINA_OFFSET_MINUTES));

const dateSchema = z
  .object({ s_timestamp: seconds, timezone_info: zoneSchema })
  .transform((date) => datesOf(date.timezone_info, date.s_timestamp));

const rangeSchema = z
  .object({ new_begin: seconds, new_end: seconds, timezone_info: zoneSchema })
  .transform((range) => datesOf(range.timezone_info, range.new_begin, range.new_end));

const optionsSchema = z
  .object({ options: list(z.object({ key: text, value: list(z.object({ text: textOrEmpty })) })) })
  .transform(({ options }) =>
    options.map((option): FormOption => ({ key: option.key, names: option.value.map((name) => name.text) })),
  );

type Reading = Omit<FormValue, "control" | "id">;

/** Reads `value` by the control's kind, never by which key exists: empty lists of other kinds stand in there too. */
const CONTROLS: Readonly<Record<string, z.ZodType<Reading>>> = {
  Text: z.object({ text: textOrEmpty }),
  Textarea: z.object({ text: textOrEmpty }),
  Number: z.object({ new_number: textOrEmpty }).transform((v) => numberReading(v.new_number)),
  Money: z.object({ new_money: textOrEmpty }).transform((v) => numberReading(v.new_money)),
  Formula: z.object({ formula: z.object({ value: textOrEmpty }) }).transform((v) => numberReading(v.formula.value)),
  Date: z.object({ date: dateSchema }).transform((v) => ({ dates: v.date })),
  Selector: z.object({ selector: optionsSchema }).transform((v) => optionsReading(v.selector)),
  Contact: z
    .object({ members: list(z.object({ userid: text })), departments: list(z.object({ openapi_id: text })) })
    .transform((v) => ({ users: v.members.map((m) => m.userid), orgs: v.departments.map((d) => d.openapi_id) })),
  Tips: z.unknown().transform(() => ({ text: "" })),
  File: z
    .object({ files: list(z.object({ file_id: text })) })
    .transform((v) => ({ files: v.files.map((file) => file.file_id) })),
  Table: z
    .object({ children: list(z.object({ list: list(contentSchema) })) })
    .transform((v) => ({ rows: v.children.map((row) => readControls(row.list)).filter(isFilledIn) })),
  DateRange: z.object({ date_range: rangeSchema }).transform((v) => ({ dates: v.date_range })),
  Attendance: z
    .object({ attendance: z.object({ date_range: rangeSchema }) })
    .transform((v) => ({ dates: v.attendance.date_range })),
  Vacation: z
    .object({ vacation: z.object({ selector: optionsSchema, attendance: z.object({ date_range: rangeSchema }) }) })
    .transform(({ vacation: v }) => ({ ...optionsReading(v.selector), dates: v.attendance.date_range })),
  PunchCorrection: z
    .object({ punch_correction: z.object({ time: seconds, state: textOrEmpty }) })
    .transform(({ punch_correction: v }) => ({ dates: datesOf(CHINA_OFFSET_MINUTES, v.time), text: v.state })),
  Location: z
    .object({ location: z.object({ title: textOrEmpty, address: textOrEmpty }) })
    .transform(({ location: v }) => ({ text: joined(v.title, v.address) })),
  RelatedApproval: z
    .object({ related_approval: list(z.object({ sp_no: text })) })
    .transform((v) => optionsReading(v.related_approval.map(({ sp_no }) => ({ key: sp_no, names: [sp_no] })))),
  BankAccount: z
    .object({
      bank_account: z.object({
        account_name: textOrEmpty,
        account_number: textOrEmpty,
        bank: z.object({ bank_branch_name: textOrEmpty, bank_alias: textOrEmpty }).nullish(),
      }),
    })
    .transform(({ bank_account: v }) => ({
      text: joined(v.account_name, v.account_number, v.bank?.bank_branch_name || v.bank?.bank_alias || ""),
    })),
};

function readControls(contents: readonly z.infer<typeof contentSchema>[]): FormControls {
  return new Map(
    contents.map((content) => [content.id, { control: content.control, id: content.id, ...reading(content) }]),
  );
}

function reading(content: z.infer<typeof contentSchema>): Reading {
  if (content.hidden) return { hidden: true };
  const schema = Object.hasOwn(CONTROLS, content.control) ? CONTROLS[content.control] : undefined;
  if (schema === undefined) return { unreadable: `controls of the kind \`${content.control}\` are not known` };
  const read = schema.safeParse(content.value);
  return read.success ? read.data : { unreadable: `its value is not as documented for \`${content.control}\`` };
}

/** WeCom shows a table with one row at once; left alone, it holds nothing. */
function isFilledIn(row: FormControls): boolean {
  return [...row.values()].some(({ control: _control, id: _id, hidden: _hidden, ...reading }) =>
    Object.values(reading).some((part) => part.length > 0),
  );
}

function numberReading(digits: string): Reading {
  return { number: digits, text: digits };
}

function optionsReading(options: readonly FormOption[]): Reading {
  return { options, text: options.map((option) => option.names[0] ?? option.key).join("、") };
}

/** A time that was not entered is 0 or empty. */
function datesOf(offsetMinutes: number, ...times: readonly number[]): FormDate[] {
  return times.filter((time) => time > 0).map((time) => ({ seconds: time, offsetMinutes }));
}

function wallClock(date: FormDate): string {
  return new Date((date.seconds + date.offsetMinutes * 60) * 1000).toISOString().slice(0, 19);
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
