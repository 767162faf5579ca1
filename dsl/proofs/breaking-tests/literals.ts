/** Values as a test writes them. */
import type { Data, Definition, Type, Value } from "../../definition.ts";
import { describer } from "../../describe.ts";

export class Literals {
  private readonly fields: Definition["fields"];
  private readonly plain: (type: Type, value: Value) => string;

  constructor(definition: Omit<Definition, "hash">) {
    this.fields = definition.fields;
    this.plain = describer(definition).value;
  }

  data(data: Data): readonly string[] {
    return Object.entries(data).map(([name, value]) => `${name}: ${this.field(name, value)}`);
  }

  /** Of a field of the flow. */
  field(name: string, value: Value | undefined): string {
    if (value === undefined) return "null";
    const type = this.fields.find((field) => field.name === name)?.type;
    return type ? this.value(type, value) : String(value);
  }

  value(type: Type, value: Value): string {
    if (type.kind === "list")
      return `[${(value as readonly Value[]).map((item) => this.value(type.of, item)).join(", ")}]`;
    if (type.kind !== "record") return this.plain(type, value);
    const record = value as Readonly<Record<string, Value>>;
    const parts = type.fields.flatMap(({ name, type: of }) =>
      record[name] === undefined ? [] : [`${name}: ${this.value(of, record[name])}`],
    );
    return `{ ${parts.join(", ")} }`;
  }
}
