/**
 * Amounts in Chinese capitals (人民币大写), as《支付结算办法》附一 and《会计基础工作规范》第52条 prescribe them. Where the two leave
 * a choice: 整 after 元 and after 角, 零 between 元 and 角 when the 元 digit is 0, no 零 after 万 when the 千 digit is not 0.
 */

const DIGITS = "零壹贰叁肆伍陆柒捌玖";
const PLACES = ["仟", "佰", "拾", ""];
const WAN = 10_000n;
const YI = 100_000_000n;

/**
 * `fen` in capitals, without the words 人民币: `140950` → `壹仟肆佰零玖元伍角整`. A negative amount begins with 负.
 * Only for currencies with two decimals.
 */
export function rmbUpper(fen: bigint | number): string {
  const amount = BigInt(fen);
  if (amount < 0n) return `负${rmbUpper(-amount)}`;
  const yuan = amount / 100n;
  const rest = decimals(yuan, Number((amount % 100n) / 10n), Number(amount % 10n));
  if (yuan === 0n && rest !== "整") return rest;
  return `${yuan === 0n ? "零" : integer(yuan)}元${rest}`;
}

function decimals(yuan: bigint, jiao: number, fen: number): string {
  if (jiao === 0 && fen === 0) return "整";
  const gap = yuan > 0n && (jiao === 0 || yuan % 10n === 0n) ? "零" : "";
  return gap + (jiao === 0 ? "" : `${DIGITS[jiao]}角`) + (fen === 0 ? "整" : `${DIGITS[fen]}分`);
}

function integer(value: bigint): string {
  if (value >= YI) return joined(integer(value / YI), "亿", value % YI, YI);
  if (value >= WAN) return joined(integer(value / WAN), "万", value % WAN, WAN);
  return group(Number(value));
}

function joined(high: string, unit: string, low: bigint, size: bigint): string {
  if (low === 0n) return high + unit;
  return high + unit + (low * 10n < size ? "零" : "") + integer(low);
}

/** 1 to 9999. */
function group(value: number): string {
  let text = "";
  let gap = false;
  for (const [index, digit] of [...String(value).padStart(4, "0")].entries()) {
    if (digit === "0") {
      gap = text !== "";
      continue;
    }
    text += (gap ? "零" : "") + DIGITS[Number(digit)] + PLACES[index];
    gap = false;
  }
  return text;
}
