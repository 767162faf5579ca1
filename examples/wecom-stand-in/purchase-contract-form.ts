/** The id of the template 采购合同审批, as an administrator of WeCom would read it off. */
export const PURCHASE_CONTRACT_TEMPLATE = "C4TplContract0001";

export interface PurchaseContract {
  readonly title: string;
  readonly supplier: string;
  readonly kind: "采购" | "服务" | "租赁";
  /** In yuan, as a person types it. */
  readonly total: string;
  readonly deliverOn: string;
  readonly remark: string;
  readonly urgent: "是" | "否";
  readonly items: readonly {
    readonly name: string;
    readonly quantity: string;
    readonly price: string;
    readonly amount: string;
  }[];
  readonly files: readonly string[];
}

/** A form as `oa/getapprovaldetail` answers it under `info`. */
export interface ApprovalForm {
  readonly sp_no: string;
  readonly sp_name: string;
  readonly sp_status: number;
  readonly template_id: string;
  readonly apply_time: number;
  readonly applyer: { readonly userid: string; readonly partyid: string };
  readonly apply_data: { readonly contents: readonly FormControl[] };
  readonly [more: string]: unknown;
}

export interface FormControl {
  readonly control: string;
  readonly id: string;
  readonly title: readonly { readonly text: string; readonly lang: string }[];
  readonly value: Readonly<Record<string, unknown>>;
}

export interface PurchaseContractOptions {
  readonly applicant?: string;
  /** SpStatus. */
  readonly status?: number;
  readonly appliedAtMs?: number;
  /** What to enter otherwise. */
  readonly contract?: Partial<PurchaseContract>;
}

/** A purchase contract of 128,500.50 yuan in three items. */
export function purchaseContractForm(spNo: string, options: PurchaseContractOptions = {}): ApprovalForm {
  const contract = { ...SERVERS, ...options.contract };
  return {
    sp_no: spNo,
    sp_name: "采购合同审批",
    sp_status: options.status ?? 1,
    template_id: PURCHASE_CONTRACT_TEMPLATE,
    apply_time: Math.floor((options.appliedAtMs ?? Date.UTC(2026, 0, 5, 1)) / 1000),
    applyer: { userid: options.applicant ?? "alice", partyid: "12" },
    sp_record: [],
    notifyer: [],
    apply_data: { contents: contentsOf(contract) },
    comments: [],
    process_list: { node_list: [] },
  };
}

const SERVERS: PurchaseContract = {
  title: "2026年度服务器采购合同",
  supplier: "杭州云栈信息技术有限公司",
  kind: "采购",
  total: "128500.50",
  deliverOn: "2026-03-31",
  remark: "含上门安装与调试，质保三年。\n请法务核对违约条款。",
  urgent: "是",
  items: [
    { name: "机架式服务器（双路）", quantity: "2", price: "48000", amount: "96000.00" },
    { name: "万兆交换机", quantity: "3", price: "9500.50", amount: "28501.50" },
    { name: "安装调试服务", quantity: "1", price: "3999.00", amount: "3999" },
  ],
  files: ["WWCISP_EXAMPLE_QUOTATION"],
};

function contentsOf(contract: PurchaseContract): FormControl[] {
  return [
    control("Text", "Text-1", "合同名称", { text: contract.title }),
    control("Text", "Text-2", "供应商", { text: contract.supplier }),
    control("Selector", "Selector-1", "合同类型", chosen(["采购", "服务", "租赁"], contract.kind)),
    control("Money", "Money-1", "合同总价", { new_money: contract.total }),
    control("Date", "Date-1", "交付日期", dayInChina(contract.deliverOn)),
    control("Textarea", "Textarea-1", "备注", { text: contract.remark }),
    control("Selector", "Selector-2", "加急", chosen(["是", "否"], contract.urgent)),
    control("Table", "Table-1", "采购明细", { children: contract.items.map((item) => ({ list: rowOf(item) })) }),
    control("File", "File-1", "附件", { files: contract.files.map((file_id) => ({ file_id })) }),
  ];
}

function rowOf(item: PurchaseContract["items"][number]): FormControl[] {
  return [
    control("Text", "Text-5", "名称", { text: item.name }),
    control("Number", "Number-1", "数量", { new_number: item.quantity }),
    control("Money", "Money-2", "单价", { new_money: item.price }),
    control("Money", "Money-3", "金额", { new_money: item.amount }),
  ];
}

/** WeCom leaves the empty lists of other kinds in every value. */
function control(kind: string, id: string, title: string, value: Readonly<Record<string, unknown>>): FormControl {
  const others = { tips: [], members: [], departments: [], files: [], children: [], stat_field: [], sum_field: [] };
  return { control: kind, id, title: [{ text: title, lang: "zh_CN" }], value: { ...others, ...value } };
}

function chosen(options: readonly string[], choice: string): Readonly<Record<string, unknown>> {
  const option = { key: `option-${options.indexOf(choice) + 1}`, value: [{ text: choice, lang: "zh_CN" }] };
  return { selector: { type: "single", options: [option] } };
}

/** A day is its midnight in China, in seconds. */
function dayInChina(day: string): Readonly<Record<string, unknown>> {
  return { date: { type: "day", s_timestamp: String(Date.parse(`${day}T00:00:00+08:00`) / 1000) } };
}
